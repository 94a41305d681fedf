"""Telling a trace from other files by its first few KiB, without reading it."""

from __future__ import annotations

import re
import zlib

from genscope.trace.native.packets import is_native

HEAD_BYTES = 4096
"""How much of a file `looks_like_trace` wants to see."""

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_KEY_OF_A_TRACE = re.compile(
    rb'"(?:traceEvents|deviceProperties|baseTimeNanoseconds|genscope_plan)"\s*:'
    rb'|"schemaVersion"\s*:\s*1(?![\d.])'
)
_BARE_EVENT = re.compile(rb'"ph"\s*:\s*"')


def looks_native(head: bytes) -> bool:
    """Whether a file that begins with `head`, plain or gzip, is a native Perfetto trace."""
    return is_native(_inflated(head))


def looks_like_trace(head: bytes) -> bool:
    """Whether a file that begins with `head`, plain or gzip, is a trace as far as that tells."""
    head = _inflated(head)
    if is_native(head):
        return True
    text = head.removeprefix(_BOM).lstrip()
    if text.startswith(b"{"):
        return _KEY_OF_A_TRACE.search(text) is not None
    return text.startswith(b"[") and _BARE_EVENT.search(text) is not None


def _inflated(head: bytes) -> bytes:
    if not head.startswith(_GZIP):
        return head
    try:
        return zlib.decompressobj(31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""
