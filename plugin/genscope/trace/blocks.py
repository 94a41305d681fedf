"""The structure of a trace file: metadata members, and its events in blocks.

Text is cut where an event seems to end and the block is decoded as a whole; a block that does
not decode is repaired, and if that fails taken apart event by event, so that only what is really
broken is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from genscope.schema import METADATA_KEY
from genscope.trace import scan
from genscope.trace.decode import DECODE_ERRORS, AnyEvent, decode_one, lenient
from genscope.trace.errors import TraceError, TraceWarning
from genscope.trace.repair import repair, repair_quotes, repairable
from genscope.trace.source import Limits, Source, identify

BLOCK_BYTES = 1 << 19
_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_KEPT_VALUE_BYTES = 1 << 20
_KEPT_DOCUMENT_BYTES = 1 << 22
_KEPT_TOTAL_BYTES = 1 << 23
_SINGLE_EVENT_BYTES = 1 << 16
_MAX_MEMBERS = 10_000

NOTHING_MENDED: Mapping[str, int] = {}

Decode = Callable[[bytes], Sequence[AnyEvent]]
DecodeOne = Callable[[bytes], AnyEvent]
Keep = Callable[[str, bytes], None]
Block = tuple[int, Sequence[AnyEvent]]


class Blocks:
    """Iterate a source as (text offset, events) blocks; gather metadata and damage meanwhile.

    `decode` turns the text of a JSON array into events and raises one of DECODE_ERRORS where it
    cannot. What it cannot decode is given to `one`, an object at a time, and what that cannot, to
    `lenient`. `keep` is told the name and the text of each member beside the events. Raises
    TraceError where the file is no trace.
    """

    def __init__(
        self,
        source: Source,
        decode: Decode,
        limits: Limits,
        *,
        one: DecodeOne = decode_one,
        lenient: DecodeOne = lenient,
        keep: Keep | None = None,
    ) -> None:
        self.metadata: dict[str, Any] = {}
        self.warnings: list[TraceWarning] = []
        self.repairs: Counter[str] = Counter()
        self.unreadable = 0
        self.truncated = False
        self.bare_list = False
        self._source = source
        self._decode = decode
        self._limits = limits
        self._one = one
        self._lenient = lenient
        self._told = keep
        self._text = b""
        self._at = 0
        self._base = 0
        self._eof = False
        self._separator = b""
        self._found_events = False
        self._kept_bytes = 0

    def __iter__(self) -> Iterator[Block]:
        self._fill(BLOCK_BYTES)
        what = identify(self._text[:4096])
        if what is not None:
            raise TraceError(
                f"{self._source.path}: is {what}; a trace is JSON as torch.profiler writes it, "
                "plain or gzip"
            )
        if self._text.startswith(_BOM):
            self._at = len(_BOM)
        self._skip(_SPACE)
        opening = self._text[self._at : self._at + 1]
        self._at += 1
        if opening == b"[":
            self._found_events = self.bare_list = True
            yield from self._events(closing_optional=True)
        else:
            yield from self._members()
        if not self._found_events:
            self._refuse()
        if not self.truncated and self._skip(_SPACE):
            self.warnings.append(
                TraceWarning(
                    code="text_after_end",
                    count=1,
                    message=f"Text behind the end of the trace, at byte {self._base + self._at:,}, "
                    "was not read.",
                )
            )

    # Text -----------------------------------------------------------------------------------

    def _fill(self, size: int) -> None:
        """Have `size` bytes ahead, or all that is left."""
        missing = size - (len(self._text) - self._at)
        if missing <= 0 or self._eof:
            return
        more = self._source.read(missing)
        if len(more) < missing:
            self._eof = True
        self._base += self._at
        self._text = self._text[self._at :] + more
        self._at = 0

    def _skip(self, characters: bytes) -> bool:
        """Step over `characters`; tell whether anything is left."""
        while True:
            if self._at >= len(self._text):
                self._fill(BLOCK_BYTES)
                if self._at >= len(self._text):
                    return False
            ahead = self._text[self._at : self._at + 4096]
            rest = ahead.lstrip(characters)
            self._at += len(ahead) - len(rest)
            if rest:
                return True

    def _refuse(self) -> None:
        keys = ", ".join(repr(key[:40]) for key in list(self.metadata)[:6]) or "none"
        where = "ends before its events" if self.truncated else "has no traceEvents"
        raise TraceError(
            f"{self._source.path}: is a JSON object that {where} (keys: {keys}); "
            "a trace has a list of events under traceEvents"
        )

    # Members of the top-level object --------------------------------------------------------

    def _members(self) -> Iterator[Block]:
        for _ in range(_MAX_MEMBERS):
            if not self._skip(_SPACE + b","):
                self.truncated = True
                return
            if self._text[self._at : self._at + 1] == b"}":
                self._at += 1
                return
            raw_key = self._value()
            if raw_key is None or not self._skip(_SPACE + b":"):
                return
            try:
                key = msgspec.json.decode(repair(raw_key)[0], type=str)
            except DECODE_ERRORS:
                self._bad_member(f"expected a key at byte {self._base + self._at:,}")
                return
            if key == "traceEvents" and self._text[self._at : self._at + 1] == b"[":
                self._at += 1
                self._found_events = True
                closed = yield from self._events(closing_optional=False)
                if not closed:
                    return
                continue
            value = self._value()
            if value is None:
                return
            self._keep(key, value)

    def _value(self) -> bytes | None:
        """Take the JSON value ahead; None where it is not whole."""
        size = BLOCK_BYTES
        while True:
            self._fill(size)
            end = scan.value_end(self._text, self._at)
            if end >= 0:
                value = self._text[self._at : end]
                self._at = end
                return value
            if self._eof:
                self.truncated = True
                return None
            size *= 2
            if size > self._limits.max_value_bytes:
                self._bad_member(
                    f"a value beside the events, at byte {self._base + self._at:,}, is longer "
                    f"than {self._limits.max_value_bytes:,} bytes or never ends"
                )
                return None

    def _bad_member(self, what: str) -> None:
        if not self._found_events:
            raise TraceError(f"{self._source.path}: {what}; is it a trace?")
        self.warnings.append(
            TraceWarning(code="metadata_unreadable", count=1, message=f"Metadata: {what}.")
        )

    def _keep(self, key: str, value: bytes) -> None:
        if self._told is not None:
            self._told(key, value)
        self._kept_bytes += len(value) + len(key)
        most = _KEPT_DOCUMENT_BYTES if key == METADATA_KEY else _KEPT_VALUE_BYTES
        if len(value) > most or self._kept_bytes > _KEPT_TOTAL_BYTES:
            self.metadata[key[:200]] = None
            return
        try:
            self.metadata[key] = msgspec.json.decode(value)
        except DECODE_ERRORS:
            mended, counts = repair(value)
            self.repairs.update(counts)
            try:
                self.metadata[key] = msgspec.json.decode(mended)
            except DECODE_ERRORS:
                self.metadata[key] = None

    # Events ---------------------------------------------------------------------------------

    def _events(self, *, closing_optional: bool) -> Generator[Block, None, bool]:
        """Yield blocks up to the end of the array; return whether it was closed."""
        size = BLOCK_BYTES
        while True:
            if not self._skip(_SPACE + b","):
                self.truncated |= not closing_optional
                return False
            if self._text[self._at : self._at + 1] == b"]":
                self._at += 1
                return True
            self._fill(size)
            stop = self._cut(min(len(self._text), self._at + size))
            offset = self._base + self._at
            block = self._text[self._at : stop]
            try:
                events = self._decode(b"[" + block + b"]")
                self._at = stop
                size = BLOCK_BYTES
            except DECODE_ERRORS:
                if self._eof and self._at + size >= len(self._text):
                    stop = len(self._text)
                    block = self._text[self._at : stop]
                events, closed, whole = self._take_apart(block, stop, size)
                if closed:
                    yield offset, events
                    return True
                if whole:
                    size = BLOCK_BYTES
                elif self._eof and stop == len(self._text):
                    yield offset, events
                    self.truncated = True
                    return False
                else:
                    size *= 2
            yield offset, events

    def _cut(self, stop: int) -> int:
        """Return where the last event before `stop` seems to end, or `stop`.

        At the end of the file the last event and what follows it are left for a block of their
        own, so that a whole block is not taken apart only because the array ends in it.
        """
        if not self._separator:
            self._separator = scan.separator(self._text, self._at, stop)
        if self._separator:
            found = self._text.rfind(self._separator, self._at, stop)
            if found > self._at:
                return found + 1
        if self._eof and stop == len(self._text):
            return stop
        found = scan.boundary_before(self._text, self._at, stop)
        return found if found > self._at else stop

    def _take_apart(
        self, block: bytes, stop: int, size: int
    ) -> tuple[Sequence[AnyEvent], bool, bool]:
        """Read what can be read of a block that does not decode.

        Returns the events, whether the array closed in it, and whether all of it was used up.
        """
        mended, counts = repair(block)
        if counts:
            try:
                events = self._decode(b"[" + mended + b"]")
            except DECODE_ERRORS:
                pass
            else:
                self.repairs.update(counts)
                self._at = stop
                return events, False, True
        found = scan.objects(self._text, self._at, stop)
        read: list[AnyEvent] = []
        for begin, end in found.spans:
            read.extend(self._span(self._text[begin:end]))
        self.unreadable += found.strays
        if found.closed:
            self._at = found.end + 1
            return read, True, True
        self._at = found.end
        rest = self._text[found.end : stop].strip(_SPACE + b",")
        if not rest:
            return read, False, True
        at_end = self._eof and stop == len(self._text)
        if (at_end or len(rest) > _SINGLE_EVENT_BYTES) and self._resync(read, stop, at_end):
            return read, False, True
        if size * 2 > self._limits.max_event_bytes:
            self.unreadable += 1
            self._at = stop
            return read, False, True
        return read, False, False

    def _span(self, text: bytes) -> list[AnyEvent]:
        """Decode the text of one object, or of several that bad quoting ran together."""
        event = self._object(text)
        if event is not None:
            return [event]
        if not scan.boundaries(text, 1, len(text)):
            self.unreadable += 1
            return []
        return self._each(_pieces(text))

    def _each(self, pieces: Sequence[bytes]) -> list[AnyEvent]:
        """Decode texts of one object each, and count those that cannot be."""
        events = [event for piece in pieces if (event := self._object(piece)) is not None]
        self.unreadable += len(pieces) - len(events)
        return events

    def _object(self, text: bytes) -> AnyEvent | None:
        """Decode the text of one object as it is, else mended; None where neither will do."""
        if not repairable(text):
            return None
        try:
            return self._one(text)
        except DECODE_ERRORS:
            pass
        # No text is decoded twice in the same way: hostile files are full of hopeless objects.
        ways = {text: NOTHING_MENDED}
        for mended, counts in (repair(text), _quotes(text)):
            if mended in ways:
                continue
            ways[mended] = counts
            try:
                event = self._one(mended)
            except DECODE_ERRORS:
                continue
            self.repairs.update(counts)
            return event
        for mended, counts in ways.items():
            try:
                event = self._lenient(mended)
            except DECODE_ERRORS:
                continue
            self.repairs.update(counts)
            return event
        return None

    def _resync(self, read: list[AnyEvent], stop: int, at_end: bool) -> bool:
        """Read on by what looks like an event; for text whose quotes or brackets do not pair up.

        At the end of the file the last event is left standing, since what follows it is not
        known; False where there is no other.
        """
        following = scan.boundaries(self._text, self._at + 1, stop)
        if not following:
            return False
        last = following[-1] if at_end else stop
        read.extend(self._each(_pieces(self._text[self._at : last].strip(_SPACE + b","))))
        self._at = last
        return True


def _pieces(text: bytes) -> list[bytes]:
    """Cut `text` where an event seems to start."""
    edges = [0, *scan.boundaries(text, 1, len(text)), len(text)]
    return [text[start:stop].strip(_SPACE + b",") for start, stop in pairwise(edges)]


def _quotes(text: bytes) -> tuple[bytes, Mapping[str, int]]:
    quoted = repair_quotes(text)
    if quoted is text:
        return text, NOTHING_MENDED
    mended, counts = repair(quoted)
    return mended, {**counts, "quote": 1}
