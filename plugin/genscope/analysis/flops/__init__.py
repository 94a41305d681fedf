"""FLOPs and bytes moved, of every op of a trace from its shapes and dtypes.

`registry` is the table of formulas, a family of ops a module; `count` applies it to a trace, `view`
adds it up.
"""
