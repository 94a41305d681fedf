"""The collector in training loops and pipelines of others, one module a library.

Nothing here imports a library before its own module is imported.
"""
