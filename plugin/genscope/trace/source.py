"""The bytes of a trace: a local path or an fsspec URL, plain or gzip, read as a stream."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from genscope.trace.errors import TraceError, TraceWarning
from genscope.trace.inflate import GZIP_MAGIC, Gzip

Progress = Callable[[int, "int | None"], None]

_READ = 1 << 18

_NOT_A_TRACE: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive; unpack it and open the trace inside"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed; decompress it with `zstd -d` first"),
    (b"\xfd7zXZ\x00", "xz-compressed; decompress it with `xz -d` first"),
    (b"BZh", "bzip2-compressed; decompress it with `bzip2 -d` first"),
    (b"\x89PNG", "a PNG image"),
    (b"\x7fELF", "an ELF binary"),
    (b"SQLite format 3\x00", "an SQLite database (an Nsight Systems export?)"),
    (b"%PDF", "a PDF document"),
    (b"\x80\x02", "a Python pickle (a memory snapshot?)"),
    (b"\x80\x04", "a Python pickle (a memory snapshot?)"),
    (b"<", "HTML or XML, not JSON (a download that failed?)"),
    (b"\x0a", "a protobuf that is no native Perfetto trace, or a damaged one"),
)
"""First bytes of files that are mistaken for traces, and what they are."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Guards against files made to exhaust memory.

    Beyond `free_bytes` of text, a gzip file may not expand more than `ratio` to one. No event
    may be longer than `max_event_bytes`, no metadata value longer than `max_value_bytes`.
    """

    ratio: int = 200
    free_bytes: int = 1 << 30
    max_event_bytes: int = 1 << 22
    max_value_bytes: int = 1 << 26


def identify(head: bytes) -> str | None:
    """Say what a file is that starts with `head` (already inflated) and can be no JSON trace."""
    text = head.lstrip(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if text[:1] in (b"{", b"["):
        return None
    if not text:
        return "empty"
    for magic, what in _NOT_A_TRACE:
        if head.startswith(magic):
            return what
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16 text; convert it to UTF-8"
    return "not JSON"


class Source:
    """A stream of text bytes; `read` inflates as it goes and never holds the whole file.

    Raises TraceError where the file cannot be opened, or expands beyond `limits`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        limits: Limits,
        progress: Progress | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.warnings: list[TraceWarning] = []
        self.truncated = False
        self.stored_bytes = 0
        self.text_bytes = 0
        self._limits = limits
        self._progress = progress
        self._file, self.size = _open(self.path)
        self._head = self._read_raw()
        self.compressed = self._head[:2] == GZIP_MAGIC
        self._gzip = Gzip(self._read_raw, self._head) if self.compressed else None
        self._ended = False
        self._ahead = b""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def peek(self, size: int) -> bytes:
        """Return about the first `size` bytes of text, which are still to be read afterwards."""
        self._ahead = self.read(size)
        self.text_bytes -= len(self._ahead)
        return self._ahead

    def read(self, size: int) -> bytes:
        """Return about `size` bytes of text, fewer at the end, none after it."""
        parts: list[bytes] = [self._ahead]
        have = len(self._ahead)
        self._ahead = b""
        while have < size and not self._ended:
            part = self._next(size - have)
            have += len(part)
            parts.append(part)
        self.text_bytes += have
        self._guard()
        return b"".join(parts)

    def _next(self, size: int) -> bytes:
        if self._gzip is not None:
            text = self._gzip.read(size)
            if not text:
                self._ended = True
                self.truncated = self._gzip.truncated
                self._report_damage(self._gzip.damage)
            return text
        text = self._head or self._read_raw()
        self._head = b""
        self._ended = not text
        return text

    def _report_damage(self, damage: str) -> None:
        if damage:
            self.warnings.append(
                TraceWarning(
                    code="gzip_damaged",
                    count=1,
                    message=f"The gzip data is damaged near byte {self.stored_bytes:,} of the "
                    f"file: {damage}.",
                )
            )

    def _read_raw(self) -> bytes:
        try:
            raw = self._file.read(_READ)
        except Exception as error:
            # A remote file system fails in its own ways, some of them no OSError.
            raise TraceError(f"{self.path}: cannot be read: {_reason(error)}") from error
        self.stored_bytes += len(raw)
        if self._progress is not None and raw:
            self._progress(self.stored_bytes, self.size)
        return raw

    def _guard(self) -> None:
        limits = self._limits
        if (
            self.compressed
            and self.text_bytes > limits.free_bytes
            and self.text_bytes > limits.ratio * self.stored_bytes
        ):
            raise TraceError(
                f"{self.path}: expands more than {limits.ratio}:1 "
                f"({self.stored_bytes:,} bytes gave {self.text_bytes:,} so far), which no trace "
                "does; if it is one, inflate it yourself and open the .json"
            )


def _open(path: str) -> tuple[IO[bytes], int | None]:
    try:
        if "://" in path:
            import fsspec

            opened = fsspec.open(path, "rb").open()
            size = getattr(opened, "size", None)
            return opened, int(size) if size is not None else None
        if os.path.isdir(path):
            raise TraceError(f"{path}: is a directory, not a trace; name one file in it")
        file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by Source.close
        return file, os.fstat(file.fileno()).st_size
    except TraceError:
        raise
    except FileNotFoundError as error:
        raise TraceError(f"{path}: no such file") from error
    except ImportError as error:
        raise TraceError(f"{path}: {error}") from error
    except Exception as error:
        raise TraceError(f"{path}: cannot be opened: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What an error says, in one line, or its kind."""
    lines = str(getattr(error, "strerror", None) or error).split("\n")
    return "; ".join(line.strip() for line in lines if line.strip())[:300] or type(error).__name__
