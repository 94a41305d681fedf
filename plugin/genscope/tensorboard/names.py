"""What the name of a trace file tells, and a short label for each of several files."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

ROOT = "."
"""The run of files that lie in the logdir itself, as TensorBoard calls it."""

_TORCH = re.compile(r"(?P<worker>.+?)(?:\.(?P<span>\d+))?\.pt\.trace\.json(?:\.gz)?", re.S)
_JSON = re.compile(r"(?P<stem>.+?)\.json(?:\.gz)?", re.S)
_NATIVE = re.compile(r"(?P<stem>.+?)\.(?:pftrace|perfetto-trace)(?:\.gz)?", re.S)


class Name(NamedTuple):
    """A file name taken apart: who wrote it, and when if the name says so."""

    worker: str
    span: int | None
    is_torch: bool
    is_native: bool = False


def parse(file: str) -> Name | None:
    """Take a file name apart; None for a name that no trace has.

    `is_torch` is True for `<worker>.<timestamp>.pt.trace.json[.gz]`, the naming of torch's
    `tensorboard_trace_handler`; other JSON files may be anything. `is_native` is True for the
    names of native Perfetto traces.
    """
    torch = _TORCH.fullmatch(file)
    if torch:
        span = torch["span"]
        return Name(torch["worker"], int(span) if span else None, True)
    plain = _JSON.fullmatch(file)
    if plain:
        return Name(plain["stem"], None, False)
    native = _NATIVE.fullmatch(file)
    return Name(native["stem"], None, False, True) if native else None


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sort key by which `rank2` comes before `rank10`."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", text)
        if part
    ]


def relative(folder: str, file: str) -> str:
    """Return the path of `file` in the run `folder`."""
    return file if folder == ROOT else f"{folder}/{file}"


class Placed(NamedTuple):
    """A file in its folder, to be given a label."""

    folder: str
    file: str
    name: Name


def labels(files: Sequence[Placed]) -> list[str]:
    """Return one short label a file, all different.

    It is the name of the folder (with its parents where another has the same name), and what
    tells the files of one folder apart: the worker, the number of the span, the file name.
    """
    short = _short_folders({placed.folder for placed in files})
    in_folder: dict[str, list[Placed]] = defaultdict(list)
    for placed in files:
        in_folder[placed.folder].append(placed)
    made = [_label(placed, short[placed.folder], in_folder[placed.folder]) for placed in files]
    count = Counter(made)
    made = [
        label if count[label] == 1 else relative(placed.folder, placed.file)
        for label, placed in zip(made, files, strict=True)
    ]
    return unique(made)


def unique(texts: Iterable[str]) -> list[str]:
    """Return `texts` with ` (2)`, ` (3)`… behind those that occurred before."""
    taken: set[str] = set()
    out: list[str] = []
    for text in texts:
        candidate, number = text, 1
        while candidate in taken:
            number += 1
            candidate = f"{text} ({number})"
        taken.add(candidate)
        out.append(candidate)
    return out


def _short_folders(folders: Iterable[str]) -> dict[str, str]:
    folders = list(folders)
    last = Counter(folder.rpartition("/")[2] for folder in folders)
    short = {}
    for folder in folders:
        name = folder.rpartition("/")[2]
        short[folder] = "" if folder == ROOT else name if last[name] == 1 else folder
    return short


def _label(placed: Placed, folder: str, siblings: Sequence[Placed]) -> str:
    name = placed.name
    parts = [folder] if folder else []
    if not folder or any(other.name.worker != name.worker for other in siblings):
        parts.append(name.worker)
    spans = sorted(
        {s.name.span for s in siblings if s.name.worker == name.worker and s.name.span is not None}
    )
    if name.span is not None and len(spans) > 1:
        parts.append(f"span {spans.index(name.span) + 1}")
    return " · ".join(parts)
