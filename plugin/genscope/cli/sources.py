"""From what the user typed to a trace: a file, an fsspec URL, or a directory with one trace."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from genscope.cli.errors import Unusable
from genscope.cli.progress import reading

if TYPE_CHECKING:
    from genscope.trace import Trace

MOST_NAMED = 8
MOST_FOUND = 100

_TIME_DIGITS = 10
"""Fewest digits of a time since 1970 that torch puts into a file's name."""


def read(path: str) -> Trace:
    """Read the trace at `path`, with progress on stderr. Raises `Unusable`."""
    from genscope.trace import TraceError, load

    found = resolve(path)
    try:
        with reading(os.path.basename(found)) as progress:
            return load(found, progress=progress)
    except TraceError as error:
        raise Unusable(str(error)) from error
    except MemoryError as error:
        raise Unusable(f"{found}: too little memory to read it") from error
    except Exception as error:
        if "://" not in found:
            raise
        # A remote file system fails in its own ways: a refused login, a host that is not there.
        raise Unusable(f"{found}: {str(error) or type(error).__name__}") from error


def resolve(path: str) -> str:
    """The file that `path` means: itself, or the one trace in the directory. Raises `Unusable`."""
    if not os.path.isdir(path):
        return path
    choices = sorted(_traces(path))
    if len(choices) == 1:
        return choices[0]
    if not choices:
        looked_for = "*.json, *.json.gz, *.pftrace"
        raise Unusable(f"{path}: no trace in this directory (looked for {looked_for})")
    count = f"{len(choices)} traces" if len(choices) < MOST_FOUND else "many traces"
    names = [os.path.relpath(name, path) for name in choices[:MOST_NAMED]]
    more = ["…"] if len(choices) > MOST_NAMED else []
    raise Unusable(f"{path}: {count} in this directory, name one: {', '.join(names + more)}")


def traces_in(directory: str, most: int) -> list[str]:
    """At most `most` traces under a directory. Raises `Unusable` where it has none."""
    found = sorted(_traces(directory, most))
    if not found:
        raise Unusable(f"{directory}: no trace in this directory")
    return found


def _traces(directory: str, most: int = MOST_FOUND) -> Iterator[str]:
    """At most `most` traces under `directory`; what is hidden is left out, and exports."""
    from genscope.trace.naming import SUFFIXES, TORCH_SUFFIXES, is_native_name, stem

    count = 0
    unreadable: list[OSError] = []
    for folder, folders, files in os.walk(directory, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen: set[str] = set()
        for name in sorted(files, key=lambda name: (is_native_name(name), name)):
            path = os.path.join(folder, name)
            if name.startswith(".") or not name.endswith(SUFFIXES):
                continue
            if is_native_name(name) and stem(name) in seen:
                continue
            if name.endswith(TORCH_SUFFIXES) or _looks_like_trace(path):
                seen.add(stem(name))
                yield path
                count += 1
                if count == most:
                    return
    if count == 0 and unreadable:
        raise Unusable(f"{unreadable[0].filename}: {unreadable[0].strerror}")


def _looks_like_trace(path: str) -> bool:
    """Whether the first bytes of a JSON file are those of a trace."""
    from genscope.trace.sniff import HEAD_BYTES, looks_like_trace

    try:
        with open(path, "rb") as file:
            return looks_like_trace(file.read(HEAD_BYTES))
    except OSError:
        return False


def labels(paths: Sequence[str]) -> list[str]:
    """A short name for each path, no two alike: the file's name, with folders where it must be.

    `runs/base/w0.pt.trace.json` and `runs/flash/w0.pt.trace.json` become `base/w0` and `flash/w0`.
    Where torch made up the name, of host, process and time, the folder stands for it if it can.
    """
    from genscope.trace.naming import label_of

    stems = [_stem(path.rstrip("/") or path) for path in paths]
    folders = [_folder(path, stem) for path, stem in zip(paths, stems, strict=True)]
    if len(set(folders)) == len(set(stems)):
        stems = folders
    parts = [stem.replace(os.sep, "/").split("/") for stem in stems]
    names = [_shortest(own, parts) for own in parts]
    for i, name in enumerate(names):
        alike = names[:i].count(name)
        if alike:
            names[i] = _unused(name, alike + 1, names)
    names = [label_of(name, path) for name, path in zip(names, paths, strict=True)]
    # A name of bytes that are no UTF-8 could not be written as JSON.
    return [name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name in names]


def _stem(path: str) -> str:
    from genscope.trace.naming import PLAN_SUFFIXES, SUFFIXES

    name = os.path.basename(path)
    suffix = next((s for s in (*PLAN_SUFFIXES, *SUFFIXES) if name.endswith(s) and name != s), "")
    return path.removesuffix(suffix)


def _folder(path: str, stem: str) -> str:
    """The folder of torch's `<worker>.<time in milliseconds>.pt.trace.json`, else `stem`."""
    from genscope.trace.naming import TORCH_SUFFIXES

    time = stem.rpartition(".")[2]
    named_by_torch = path.endswith(TORCH_SUFFIXES) and len(time) >= _TIME_DIGITS and time.isdigit()
    folder = os.path.dirname(stem)
    return folder if named_by_torch and os.path.basename(folder).strip(".") else stem


def _shortest(own: list[str], every: list[list[str]]) -> str:
    """The shortest tail of `own` that no other path of another name ends in."""
    for length in range(1, len(own)):
        tail = own[-length:]
        if all(other == own or other[-length:] != tail for other in every):
            return "/".join(tail)
    return "/".join(own)


def _unused(name: str, number: int, names: list[str]) -> str:
    while f"{name} ({number})" in names:
        number += 1
    return f"{name} ({number})"
