"""A trace as Kineto wrote it, checked as a stream and mended where it is no valid JSON.

Kineto escapes nothing: a quote or backslash in the name of somebody's `record_function`, a NaN, a
control character make a whole file unreadable. The file is taken in blocks of whole events; a block
that parses is passed on as it is, of one that does not each event is mended alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 1 << 20
"""Bytes that are read at a time."""
LONGEST = 64 << 20
"""Bytes of the metadata or of one event, beyond which a file is given up."""

_MOST_LINES = 400
"""Lines that an entry of the metadata takes; the properties of eight devices take 200."""

_EVENTS = re.compile(rb'"traceEvents"\s*:\s*\[')
# Between two events, as all versions of Kineto write them: with the phase first.
_BETWEEN = re.compile(rb'(?<=\})\s*,\s*(?=\{\s*"ph"\s*:)')
_START = re.compile(rb"\}\s*,\s*(\{)\s*\Z")
_END = re.compile(rb"(?<=\})(\s*\])(\s*,.*)?\s*\}\s*\Z", re.S)
_EMPTY = re.compile(rb"(\s*\])(\s*,.*)?\s*\}\s*\Z", re.S)
_TRACE_NAME = re.compile(rb',\s*"traceName"\s*:\s*"[^\n]*"')

_NAME = re.compile(
    r'("name"\s*:\s*")(.*?)("\s*(?:,\s*"(?:ph|cat|pid|tid|ts|dur|id|bp|s|args)"\s*:|\}))', re.S
)
_NUMBERLESS = re.compile(r"(?<=[\[:,])(\s*)-?(?:nan|inf|infinity)(?=\s*[,\]}])", re.I)
_BAD_ESCAPE = re.compile(r'\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')
_CONTROL = re.compile(r"[\x00-\x1f]")
_CLOSES = re.compile(r'\s*(?:[:\]}]|,\s*(?:["\[{\-0-9]|true\b|false\b|null\b|\Z)|\Z)')


class NotATraceError(ValueError):
    """The file is not what Kineto writes, or cut off; the message says what is missing."""


@dataclass(slots=True)
class Mended:
    """What was found in a file."""

    events: int = 0
    mended: int = 0
    """Events that were no valid JSON and are now."""
    dropped: int = 0
    """Events that could not be mended."""


def stream(source: BinaryIO, name: str, found: Mended) -> Iterator[bytes]:
    """Yield the trace in `source` as valid JSON, piece by piece, and count in `found`.

    `name` becomes the trace's name in the file. Holds a few blocks at most. Raises NotATraceError
    where there is no whole trace.
    """
    head, rest = _head(source)
    yield head
    empty = True
    after: list[bytes] = []
    for block in _blocks(source, rest, after):
        good = _checked(block, found)
        if good:
            yield good if empty else b",\n  " + good
            empty = False
    yield b"\n  ],\n  " + after[0] + f'"traceName": {json.dumps(name)}\n}}\n'.encode("ascii")


def _head(source: BinaryIO) -> tuple[bytes, bytes]:
    text = b""
    while True:
        more = source.read(BLOCK)
        text += more
        start = _EVENTS.search(text)
        if start:
            return _sound_head(text[: start.end()]), text[start.end() :]
        if not more or len(text) > LONGEST:
            raise NotATraceError("there is no list of events in it")


def _sound_head(head: bytes) -> bytes:
    if _parses(head + b"]}"):
        return head
    text = _NUMBERLESS.sub(r"\1null", head.decode("utf-8", "replace"))
    if _parses(text + "]}"):
        return text.encode()
    # What is broken goes, whatever it was; it is somebody's own.
    body = text[text.index("{") + 1 : text.rindex('"traceEvents"')]
    return "".join(["{\n  ", *_sound_entries(body.splitlines()), '"traceEvents": [']).encode()


def _sound_entries(lines: list[str]) -> Iterator[str]:
    """The entries of an object that parse, each from the start of a line to the end of one."""
    place = 0
    while place < len(lines):
        for end in range(place + 1, min(place + _MOST_LINES, len(lines)) + 1):
            entry = "\n".join(lines[place:end]).strip().rstrip(",")
            if _parses("{" + entry + "}"):
                if entry:
                    yield entry + ",\n  "
                place = end
                break
        else:
            place += 1


def _blocks(source: BinaryIO, rest: bytes, after: list[bytes]) -> Iterator[bytes]:
    """The events between the brackets of their list, in blocks of whole ones.

    What follows the list is put into `after`.
    """
    while more := source.read(BLOCK):
        rest += more
        cut = _last_start(rest)
        if cut is not None:
            yield rest[:cut].rstrip().rstrip(b",")
            rest = rest[cut:]
        elif len(rest) > LONGEST:
            raise NotATraceError("it has an event without an end")
    end = _END.search(rest, _last_start(rest) or 0)
    if end is None:
        end = _EMPTY.match(rest)
    if end is None:
        raise NotATraceError("it is cut off")
    events = rest[: end.start(1)].strip()
    if events:
        yield events
    after.append(_sound_tail(end[2] or b""))


def _last_start(text: bytes) -> int | None:
    """Where the last event in `text` begins that has another before it."""
    place = len(text)
    while (place := text.rfind(b'"ph"', 0, place)) >= 0:
        start = max(place - 64, 0)
        found = _START.search(text[start:place])
        if found:
            return start + found.start(1)
    return None


def _sound_tail(tail: bytes) -> bytes:
    """The entries behind the list of events but for the name of the trace, each with a comma."""
    for text in (tail, _TRACE_NAME.sub(b"", tail)):
        try:
            entries = json.loads(b"{" + text.strip().strip(b",") + b"}", parse_constant=_refuse)
        except (ValueError, RecursionError):
            continue
        entries.pop("traceName", None)
        return "".join(
            f"{json.dumps(key)}: {json.dumps(value)},\n  " for key, value in entries.items()
        ).encode("ascii")
    return b""


def _checked(block: bytes, found: Mended) -> bytes:
    if _parses(b"[" + block + b"]"):
        found.events += block.count(b'"ph"')
        return block
    good = []
    for event in _BETWEEN.split(block):
        if _parses(event):
            good.append(event)
            continue
        mended = _mended(event)
        if mended is None:
            found.dropped += 1
        else:
            found.mended += 1
            good.append(mended)
    found.events += len(good)
    return b",\n  ".join(good)


def _mended(event: bytes) -> bytes | None:
    text = event.decode("utf-8", "replace")
    for mend in _MENDS:
        text = mend(text)
        if _parses(text):
            return text.encode()
    return None


def _parses(text: str | bytes) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _characters(text: str) -> str:
    """Escapes that are none, and raw control characters other than between values."""
    text = _BAD_ESCAPE.sub(r"\\\\", text)
    return "".join(
        part if place % 2 == 0 else _CONTROL.sub(" ", part)
        for place, part in enumerate(_strings(text))
    )


def _strings(text: str) -> list[str]:
    """Split into what is outside and, at odd places, inside of strings."""
    return re.split(r'("(?:[^"\\]|\\.)*")', text, flags=re.S)


def _name(text: str) -> str:
    """Quotes within the name: it ends where the next key that Kineto writes begins."""
    return _NAME.sub(lambda found: found[1] + _escaped(found[2]) + found[3], text, count=1)


def _escaped(inner: str) -> str:
    plain = inner.replace('\\"', '"').replace("\\\\", "\\")
    return json.dumps(plain)[1:-1]


def _quotes(text: str) -> str:
    """Quotes within any string: one closes a string only if what follows can follow a string."""
    result: list[str] = []
    inside = False
    place = 0
    while place < len(text):
        char = text[place]
        if char == "\\" and inside:
            result.append(text[place : place + 2])
            place += 2
            continue
        if char == '"':
            if inside and not _CLOSES.match(text, place + 1):
                char = '\\"'
            else:
                inside = not inside
        elif inside and char < " ":
            char = " "
        result.append(char)
        place += 1
    return "".join(result)


_MENDS: tuple[Callable[[str], str], ...] = (
    lambda text: _NUMBERLESS.sub(r"\1null", text),
    _characters,
    _name,
    _quotes,
)
"""Tried in this order, each upon what the one before left."""
