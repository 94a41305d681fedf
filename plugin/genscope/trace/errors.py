"""The error and the warnings that reading a trace can give."""

from __future__ import annotations

import msgspec


class TraceError(Exception):
    """A file that cannot be used as a trace.

    The message is one line that names the file, the place and what to do.
    """


class TraceWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Something about a trace that a reader of its figures should know.

    `code` is stable and meant for programs, `message` is for people; `count` is the number
    of events (or blocks, or bytes: the message says which) that it concerns.
    """

    code: str
    count: int
    message: str
