"""The roofline of a trace: what its work would take at the rates of a device, and what it took.

`devices` has the rates, `view` sets a trace beside them, `measure` finds those of this CPU.
"""
