"""The source with derived tracks added: Chrome JSON, its own events passed through as they are.

What cannot be read as JSON is passed on as it was mended, or left out where that failed, so that
the result is valid whatever the source was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, cast

import msgspec
import numpy as np

from genscope.perfetto.again import Decoder, Whole, WholeExact, decode_whole, lenient_whole
from genscope.perfetto.derived import derived
from genscope.perfetto.found import GROUP, Column, Counter, Flags, Slices, Words
from genscope.perfetto.lanes import lanes
from genscope.perfetto.memory import MEMORY, Allocations
from genscope.perfetto.output import whole
from genscope.perfetto.results import Exported
from genscope.trace.blocks import Blocks
from genscope.trace.convert import starts
from genscope.trace.decode import DECODE_ERRORS, AnyEvent
from genscope.trace.errors import TraceError
from genscope.trace.model import Trace
from genscope.trace.plan.chrome import written_out
from genscope.trace.repair import repair
from genscope.trace.source import Limits, Progress, Source

_MOST_PID = 1 << 30
_LINE = b",\n"


def export_chrome(
    trace: Trace, path: str, *, limits: Limits | None = None, progress: Progress | None = None
) -> Exported:
    """Write the source of `trace` with derived tracks to `path`, as gzip where it ends in .gz.

    The file that the trace was read from is read once more; `progress` is told of that as `load`
    tells it. Raises TraceError where it is not there any more or changed, OSError where the trace
    cannot be written.
    """
    with written_out(trace) as readable:
        return _export(readable, path, limits or Limits(), progress)


def _export(trace: Trace, path: str, limits: Limits, progress: Progress | None) -> Exported:
    found = derived(trace)
    source = Source(trace.path, limits=limits, progress=progress)
    try:
        with whole(path) as out:
            passing = _Passing(trace, out)
            passing.copy(source, limits)
            memory = passing.memory.counters(passing.origin_ns)
            tracks = [*found, *memory]
            passing.add(_events(tracks, passing.free_pid, passing.origin_ns))
            passing.close()
    finally:
        source.close()
    return Exported(
        path=path,
        format="chrome",
        slices=len(trace.events),
        derived={
            one.title: len(one.start_ns if isinstance(one, Slices) else one.at_ns) for one in tracks
        },
        repaired=passing.repaired,
        left_out={"unreadable": passing.unreadable} if passing.unreadable else {},
    )


class _Passing:
    """Pass the text of a source on to `out`, up to where its events end; then take more."""

    def __init__(self, trace: Trace, out: IO[bytes]) -> None:
        self.memory = Allocations()
        self.origin_ns = 0
        """Time of the first slice as the source counts it."""
        self.free_pid = 1
        """Above all process ids of the source."""
        self.repaired: dict[str, int] = {}
        self.unreadable = 0
        self._trace = trace
        self._out = out
        self._decode = Decoder()
        self._texts: list[bytes] = []
        self._before: list[bytes] = []
        self._behind: list[bytes] = []
        self._opened = False
        self._bare_list = False
        self._separator = b""
        self._rows = 0

    def copy(self, source: Source, limits: Limits) -> None:
        """Pass everything on but what closes the source. Raises TraceError if it has changed."""
        blocks = Blocks(
            source, self._block, limits, one=self._one, lenient=self._lenient, keep=self._keep
        )
        for _, events in blocks:
            self._open(bare_list=blocks.bare_list)
            self.add(self._texts)
            self._texts = []
            self._look(cast("Sequence[Whole]", events))
        self._open(bare_list=blocks.bare_list)
        self.repaired = dict(blocks.repairs)
        self.unreadable = blocks.unreadable
        if self._rows < len(self._trace.events):
            raise TraceError(f"{self._trace.path}: changed while it was read; try again")

    def add(self, texts: Iterable[bytes]) -> None:
        """Write events, each as JSON text or several with commas between."""
        for text in texts:
            self._out.write(self._separator)
            self._out.write(text)
            self._separator = _LINE

    def close(self) -> None:
        """Write what stands behind the events."""
        self._out.write(b"\n]")
        if not self._bare_list:
            for member in self._behind:
                self._out.write(_LINE + member)
            self._out.write(b"}")
        self._out.write(b"\n")

    def _open(self, *, bare_list: bool) -> None:
        if self._opened:
            return
        self._opened = True
        self._bare_list = bare_list
        if not bare_list:
            members = [*self._before, b'"traceEvents": [\n']
            self._out.write(b"{" + _LINE.join(members))
        else:
            self._out.write(b"[\n")

    # What the blocks call -------------------------------------------------------------------

    def _block(self, text: bytes) -> Sequence[AnyEvent]:
        events = self._decode(_utf8(text))
        if events:
            self._texts.append(text[1:-1].strip(b" \t\r\n,"))
        return events

    def _one(self, text: bytes) -> WholeExact:
        event = decode_whole(_utf8(text))
        self._texts.append(text)
        return event

    def _lenient(self, text: bytes) -> WholeExact:
        event = lenient_whole(_utf8(text))
        self._texts.append(text)
        return event

    def _keep(self, key: str, value: bytes) -> None:
        if key == "traceEvents":
            return
        for text in (value, repair(value)[0]):
            try:
                msgspec.json.decode(_utf8(text))
            except DECODE_ERRORS:
                continue
            break
        else:
            text = b"null"
        member = msgspec.json.encode(key) + b": " + text
        (self._behind if self._opened else self._before).append(member)

    def _look(self, events: Sequence[Whole]) -> None:
        """Take note of what the added tracks need to know."""
        slices = [event for event in events if event.ph == "X"]
        pairs = [event for event in events if event.ph == "B"]
        # In the columns, what begins goes before the whole slices of a block.
        if self._rows == 0:
            at, known = starts([*pairs, *slices])
            if known.any():
                self.origin_ns = int(at[known][0]) - int(self._trace.events.start_ns[0])
        if slices or pairs:
            _, known = starts([*pairs, *slices])
            self._rows += int(known.sum())
        told = [event for event in events if event.name == MEMORY and event.ph != "X"]
        if told:
            at, known = starts(told)
            args = [event.args for event, ok in zip(told, known.tolist(), strict=True) if ok]
            self.memory.add(args, at[known].tolist())
        pids = {event.pid for event in events}
        whole_pids = [pid for pid in pids if isinstance(pid, int) and 0 <= pid < _MOST_PID]
        self.free_pid = max([self.free_pid, *(pid + 1 for pid in whole_pids)])


def _utf8(text: bytes) -> bytes:
    """The text as it is. Raises UnicodeDecodeError, one of DECODE_ERRORS, where it is no UTF-8."""
    if not text.isascii():
        text.decode("utf-8")
    return text


# Derived tracks ---------------------------------------------------------------------------------


def _events(tracks: Sequence[Slices | Counter], pid: int, origin_ns: int) -> Iterator[bytes]:
    """JSON text of the events of derived tracks; `origin_ns` is the time of the first slice."""
    if not tracks:
        return
    yield _metadata("process_name", pid, 0, {"name": GROUP})
    yield _metadata("process_sort_index", pid, 0, {"sort_index": -1})
    thread = 0
    for track in tracks:
        if isinstance(track, Counter):
            yield from _counter(track, pid, origin_ns)
            continue
        count = len(track.start_ns)
        lane, end, _ = lanes(np.zeros(count, dtype=np.int32), track.start_ns, track.end_ns)
        for number in range(int(lane.max()) + 1):
            yield _metadata("thread_name", pid, thread + number + 1, {"name": track.title})
            order = {"sort_index": thread + number}
            yield _metadata("thread_sort_index", pid, thread + number + 1, order)
        columns = {name: _values(column) for name, column in track.args.items()}
        names = _values(track.name)
        for row, (start, stop, one) in enumerate(
            zip(track.start_ns.tolist(), end.tolist(), lane.tolist(), strict=True)
        ):
            args = {name: column[row] for name, column in columns.items()}
            event = {
                "ph": "X",
                "cat": track.category,
                "name": names[row] or "",
                "pid": pid,
                "tid": thread + one + 1,
                "ts": _micros(start + origin_ns),
                "dur": _micros(stop - start),
                "args": {name: value for name, value in args.items() if value is not None},
            }
            yield msgspec.json.encode(event)
        thread += int(lane.max()) + 1


def _counter(track: Counter, pid: int, origin_ns: int) -> Iterator[bytes]:
    for at, value in zip(track.at_ns.tolist(), track.value.tolist(), strict=True):
        event = {
            "ph": "C",
            "name": track.title,
            "pid": pid,
            "ts": _micros(at + origin_ns),
            "args": {track.unit: value},
        }
        yield msgspec.json.encode(event)


def _metadata(name: str, pid: int, tid: int, args: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"ph": "M", "name": name, "pid": pid, "tid": tid, "args": args})


def _values(column: Column) -> list[Any]:
    """The value of each row, None where it is unknown."""
    if isinstance(column, Words):
        return [column.listed[at] if at >= 0 else None for at in column.of_row.tolist()]
    if isinstance(column, Flags):
        return [bool(value) if value >= 0 else None for value in column.of_row.tolist()]
    return [value if value >= 0 else None for value in column.tolist()]


def _micros(nanos: int) -> msgspec.Raw:
    """Microseconds as JSON text, exact to the nanosecond."""
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    return msgspec.Raw(f"{sign}{nanos // 1000}.{nanos % 1000:03d}".encode())
