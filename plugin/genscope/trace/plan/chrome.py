"""A plan as a file of events, for what reads the events of a trace again."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import IO, Any

from genscope.trace.model import Kind, Trace
from genscope.trace.plan.said import PREDICTED

_CATEGORIES = {
    Kind.CPU_OP: "cpu_op",
    Kind.ANNOTATION: "user_annotation",
    Kind.RUNTIME: "cuda_runtime",
    Kind.KERNEL: "kernel",
}
_ARGUMENTS = ("Input Dims", "Input type", "Concrete Inputs")
_AT_ONCE = 1 << 16


def is_planned(trace: Trace) -> bool:
    """Whether a trace was read from a plan, which has no list of events."""
    return any(one.code == PREDICTED for one in trace.warnings) and not len(trace.blocks)


@contextmanager
def written_out(trace: Trace) -> Iterator[Trace]:
    """Give the trace, or one of a plan as read from a file of its events, gone after the block."""
    from genscope.trace.reader import load

    if not is_planned(trace):
        yield trace
        return
    with tempfile.TemporaryDirectory(prefix="genscope-") as folder:
        path = os.path.join(folder, os.path.basename(trace.path) + ".json")
        with open(path, "w", encoding="utf-8") as file:
            write_events(trace, file)
        found = load(path)
        found.warnings = trace.warnings
        yield found


def write_events(trace: Trace, file: IO[str]) -> None:
    """Write the slices of a trace as the JSON that torch's profiler writes."""
    file.write('{"schemaVersion": 1')
    for key, value in trace.metadata.items():
        file.write(f", {json.dumps(key)}: {json.dumps(value)}")
    file.write(', "traceEvents": [')
    names = [json.dumps(text) for text in trace.strings]
    separator = "\n"
    for place, track in enumerate(trace.tracks):
        for name, text in (
            ("process_name", track.process_name),
            ("thread_name", track.thread_name),
        ):
            label = {"name": name, "ph": "M", "pid": track.process, "tid": track.thread}
            file.write(separator + json.dumps({**label, "ts": place, "args": {"name": text}}))
            separator = ",\n"
    for start in range(0, len(trace.events), _AT_ONCE):
        lines = _lines(trace, names, start, start + _AT_ONCE)
        file.write(separator + ",\n".join(lines))
        separator = ",\n"
    file.write("]}\n")


@lru_cache(maxsize=1 << 16)
def _value(text: str) -> str:
    """A text as a JSON value: itself, if it is one. What is in a file may be anything."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text)
    return text


def _lines(trace: Trace, names: list[str], start: int, end: int) -> list[str]:
    events, tracks = trace.events, trace.tracks
    columns: list[list[Any]] = [
        getattr(events, name)[start:end].tolist()
        for name in ("kind", "name", "track", "start_ns", "dur_ns", "correlation", "device")
    ]
    texts = [getattr(events, name)[start:end].tolist() for name in ("dims", "types", "inputs")]
    found = []
    for row, one in enumerate(zip(*columns, strict=True)):
        kind, name, track, begin, lasts, correlation, device = one
        args = [
            f'"{key}": {_value(trace.strings[text[row]])}'
            for key, text in zip(_ARGUMENTS, texts, strict=True)
            if text[row] >= 0
        ]
        if correlation >= 0:
            args.append(f'"correlation": {correlation}')
        if device >= 0:
            args.append(f'"device": {device}, "stream": {json.dumps(tracks[track].thread)}')
        place = tracks[track]
        found.append(
            f'{{"ph": "X", "cat": "{_CATEGORIES[Kind(kind)]}", "name": {names[name]}, '
            f'"pid": {json.dumps(place.process)}, "tid": {json.dumps(place.thread)}, '
            f'"ts": {begin // 1000}.{begin % 1000:03d}, "dur": {lasts // 1000}.{lasts % 1000:03d}, '
            f'"args": {{{", ".join(args)}}}}}'
        )
    return found
