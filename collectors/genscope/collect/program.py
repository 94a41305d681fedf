"""Somebody's script, run as `python script.py` or `python -m module` would run it."""

from __future__ import annotations

import builtins
import importlib.util
import io
import os
import sys
import types
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import Any, NamedTuple

_KEPT: list[types.ModuleType] = []
"""The module that was `__main__` before: code that runs still needs its globals."""


class NoProgramError(Exception):
    """There is no such script or module; the message is one line that names it."""


class Program(NamedTuple):
    """Code to be run as `__main__`."""

    code: types.CodeType
    path: str
    """What becomes `__file__`."""
    name: str
    """What becomes `sys.argv[0]`."""
    folder: str
    """What becomes `sys.path[0]`."""
    spec: ModuleSpec | None


def find(name: str, as_module: bool) -> Program:
    """Find and compile a script, or a module by its name.

    Raises NoProgramError where there is none, and whatever compiling it raises.
    """
    return _module(name) if as_module else _script(name)


def _script(path: str) -> Program:
    full = os.path.abspath(path)
    try:
        with io.open_code(full) as file:
            source = file.read()
    except OSError as error:
        raise NoProgramError(f"{path}: cannot be run: {error.strerror or error}") from error
    if b"\0" in source:
        raise NoProgramError(f"{path}: cannot be run: it is no Python source")
    code = compile(source, full, "exec", dont_inherit=True)
    return Program(code, full, path, os.path.dirname(os.path.realpath(path)), None)


def _module(name: str) -> Program:
    folder = os.getcwd()
    _put_first(folder)
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except (ImportError, ValueError, AttributeError) as error:
        raise NoProgramError(f"{name}: there is no such module: {error}") from error
    loader: Any = None if spec is None else spec.loader
    code = loader.get_code(spec.name) if hasattr(loader, "get_code") and spec is not None else None
    if spec is None or code is None:
        raise NoProgramError(f"{name}: there is no such module that can be run")
    path = spec.origin or name
    return Program(code, path, path, folder, spec)


def run(program: Program, arguments: list[str]) -> None:
    """Run it. What it raises passes through; `__main__` stays the script's, for its threads."""
    main = types.ModuleType("__main__")
    vars(main).update(
        __builtins__=builtins,
        __file__=program.path,
        __spec__=program.spec,
        __loader__=program.spec.loader
        if program.spec is not None
        else SourceFileLoader("__main__", program.path),
        __package__=program.spec.parent if program.spec is not None else None,
        __cached__=program.spec.cached if program.spec is not None else None,
    )
    if sys.version_info < (3, 14):
        vars(main)["__annotations__"] = {}
    _KEPT.append(sys.modules["__main__"])
    sys.modules["__main__"] = main
    sys.argv[:] = [program.name, *arguments]
    _put_first(program.folder)
    exec(program.code, vars(main))


def _put_first(folder: str) -> None:
    """Python put the folder of what it was told to run in front: of us."""
    if getattr(sys.flags, "safe_path", False) or sys.flags.isolated:
        return
    sys.path[0:1] = [folder]
