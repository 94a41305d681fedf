"""Mending broken JSON text, so that one bad character does not cost a block.

Every repair keeps the structure of the text and changes only what no JSON reader accepts.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(rb"[\x00-\x1f]")
_BARE_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# The closing quote is optional, so that a string that never closes is consumed in one go instead
# of being tried again from every quote in it.
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"?'
_NUMBER_WORD = re.compile(
    rb"(" + _STRING + rb")|[-+]?(?:nan|infinity|inf)\b(?:\([^)\"]{0,32}\))?", re.I | re.S
)
_STRING_RE = re.compile(_STRING, re.S)
_HIGH, _LOW = rb"u[dD][89abAB][0-9a-fA-F]{2}", rb"u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(
    rb"\\(?:" + _HIGH + rb"\\" + _LOW + rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|u[0-9a-fA-F]{4}|"
    rb'["\\/bfnrt]|(.))',
    re.S,
)
_NAME_OPENS = re.compile(rb'"name"\s*:\s*"')
_NAME_CLOSES = re.compile(rb'"\s*,\s*"(?:ph|cat|pid|tid|ts|dur|id|args|s|bp)"\s*:')
_MAX_NAME_BYTES = 1 << 13
_INNER_QUOTE = re.compile(rb'(?<!\\)"')
_SUSPECT = re.compile(rb"[\x00-\x1f\x80-\xff\\]|nan|inf", re.I)
"""What anything that is mended has in it."""

_BLANK = bytes(range(0x21))
"""Spaces, and the control characters that become some."""


def repair(text: bytes) -> tuple[bytes, dict[str, int]]:
    """Mend `text` and count what was mended, by kind.

    Kinds: `utf8` (bytes that are no UTF-8), `control` (raw control characters), `escape`
    (backslashes that escape nothing, halves of surrogate pairs) and `number` (NaN and Infinity,
    which become null).
    """
    counts: dict[str, int] = {}
    if not _SUSPECT.search(text):
        return text, counts
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        replaced = text.decode("utf-8", "replace")
        counts["utf8"] = max(1, replaced.count("\ufffd") - text.count(b"\xef\xbf\xbd"))
        text = replaced.encode("utf-8")
    text, counts_control = _control(text)
    text, escapes = _escapes(text)
    text, numbers = _numbers(text)
    for kind, count in (("control", counts_control), ("escape", escapes), ("number", numbers)):
        if count:
            counts[kind] = count
    return text, counts


def repairable(text: bytes) -> bool:
    """Whether `text` can be an object after repairs: none of them adds or takes away a brace."""
    inner = text.strip(_BLANK)
    return inner.startswith(b"{") and inner.endswith(b"}")


def repair_quotes(event: bytes) -> bytes:
    """Escape the quotes inside the `name` of a single event that was written without escapes."""
    opens = _NAME_OPENS.search(event)
    closes = (
        _NAME_CLOSES.search(event, opens.end(), opens.end() + _MAX_NAME_BYTES) if opens else None
    )
    if opens is None or closes is None:
        return event
    name = _INNER_QUOTE.sub(rb'\\"', event[opens.end() : closes.start()])
    return event[: opens.end()] + name + event[closes.start() :]


def _control(text: bytes) -> tuple[bytes, int]:
    count = len(_BARE_CONTROL.findall(text))
    if count:
        text = _BARE_CONTROL.sub(b" ", text)
    mended = 0

    def mend(match: re.Match[bytes]) -> bytes:
        nonlocal mended
        string = match[0]
        if _CONTROL.search(string):
            mended += 1
            return _CONTROL.sub(b" ", string)
        return string

    if b"\n" in text or b"\t" in text or b"\r" in text:
        text = _STRING_RE.sub(mend, text)
    return text, count + mended


def _escapes(text: bytes) -> tuple[bytes, int]:
    if b"\\" not in text:
        return text, 0
    mended = 0

    def mend(match: re.Match[bytes]) -> bytes:
        nonlocal mended
        if match[1] is None and match[2] is None:
            return match[0]
        mended += 1
        return b"\\ufffd" if match[2] is None else b"\\\\" + match[2]

    return _ESCAPE.sub(mend, text), mended


def _numbers(text: bytes) -> tuple[bytes, int]:
    mended = 0

    def mend(match: re.Match[bytes]) -> bytes:
        nonlocal mended
        if match[1] is not None:
            return match[1]
        mended += 1
        return b"null"

    return _NUMBER_WORD.sub(mend, text), mended
