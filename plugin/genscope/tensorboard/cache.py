"""What was read and computed before, in files outside the logdir.

A cache that cannot be written or read is no error: whoever asks goes on without it. Several
TensorBoards may share a folder: files appear whole, under their name, or not at all, and the
last to write one wins.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import logging
import os
import re
import secrets
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

import genscope.analysis
import genscope.perfetto
import genscope.schema
import genscope.trace
from genscope.analysis.results import SCHEMA_VERSION
from genscope.tensorboard.files import Stamp, is_remote, one_line
from genscope.trace.model import Trace
from genscope.trace.store import (
    FORMAT_VERSION,
    TEMPORARY,
    StoreError,
    open_stored,
    save,
    stored_bytes,
)

MAX_BYTES = 4 << 30
"""How much a cache may hold; what was used longest ago goes first."""

ABANDONED_S = 3600.0
"""A file still being written after so long was left by a process that is no more."""

_TRACE = ".trace"
_RESULT = ".json"
_EXPORT = ".annotated.pftrace"

_HALF_EXPORT = re.compile(r"\.[0-9a-f]{40}\.annotated\.pftrace\.\w+")
"""How an export is named while it is written."""

_CHECKSUM_BYTES = 9

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


def default_folder() -> Path:
    """$GENSCOPE_CACHE, or a folder `genscope` where the platform keeps caches."""
    named = os.environ.get("GENSCOPE_CACHE")
    if named:
        return Path(named).expanduser()
    local = os.environ.get("LOCALAPPDATA")
    if os.name == "nt" and local:
        return Path(local) / "genscope"
    home = os.environ.get("XDG_CACHE_HOME")
    # The specification has relative paths there ignored.
    if home and os.path.isabs(home):
        return Path(home) / "genscope"
    return Path("~/.cache/genscope").expanduser()


def key_of(path: str, stamp: Stamp) -> str | None:
    """Return what names this version of a file, None where versions cannot be told apart."""
    if stamp.mtime_ns is None:
        return None
    place = path if is_remote(path) else os.path.abspath(path)
    parts = [os.fsencode(place).hex(), *stamp, FORMAT_VERSION, SCHEMA_VERSION, *_version()]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:40]


class Cache:
    """Traces and results by key (see `key_of`), in `folder`. Safe to use from several threads."""

    def __init__(self, folder: Path | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder or default_folder()
        self._max_bytes = max_bytes
        self._has_complained = False
        self._lock = threading.Lock()

    def trace(self, key: str) -> Trace | None:
        """Return a trace with mapped, read-only columns, or None."""
        path = self._folder / f"{key}{_TRACE}"
        try:
            trace = open_stored(path)
        except FileNotFoundError:
            return None
        except (OSError, StoreError) as error:
            _log.info("not used: %s", one_line(error))
            _remove(path)
            return None
        _touch(path)
        return trace

    def put_trace(self, key: str, trace: Trace) -> None:
        """Keep a trace."""
        if stored_bytes(trace) <= self._max_bytes:
            self._put(lambda: save(trace, self._folder / f"{key}{_TRACE}"))

    def result(self, key: str, view: str) -> bytes | None:
        """Return the JSON of a view, or None."""
        path = self._folder / f"{key}.{view}{_RESULT}"
        try:
            stored = path.read_bytes()
        except OSError:
            return None
        body = stored[_CHECKSUM_BYTES:]
        if stored[:_CHECKSUM_BYTES] != _checksum(body):
            _remove(path)
            return None
        _touch(path)
        return body

    def put_result(self, key: str, view: str, body: bytes) -> None:
        """Keep the JSON of a view."""
        path = self._folder / f"{key}.{view}{_RESULT}"
        self._put(lambda: _write(path, _checksum(body) + body))

    def export(self, key: str) -> Path | None:
        """Return where the export of a trace is, or None; it may be gone a moment later."""
        path = self._folder / f"{key}{_EXPORT}"
        if not path.is_file():
            return None
        _touch(path)
        return path

    def put_export(self, key: str, write: Callable[[str], _T]) -> _T:
        """Keep what `write` writes to the path that it is given, and return what it returns.

        Raises OSError where there is no room for it, and what `write` raises.
        """
        path = self._folder / f"{key}{_EXPORT}"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = write(str(path))
        self._trim()
        if not path.is_file():
            raise OSError(f"it takes more room than the cache in {self._folder} may")
        return done

    def forget(self, key: str) -> None:
        """Remove a trace that turned out to be of no use."""
        _remove(self._folder / f"{key}{_TRACE}")

    def _put(self, write: Callable[[], None]) -> None:
        try:
            # Traces hold names of models and files, which are nobody else's business.
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write()
            self._trim()
        except (OSError, ValueError, TypeError, OverflowError) as error:
            with self._lock:
                first, self._has_complained = not self._has_complained, True
            if first:
                _log.warning(
                    "GenScope goes on without its cache in %s, so traces are read again each "
                    "time: %s (GENSCOPE_CACHE names another folder)",
                    self._folder,
                    one_line(error),
                )

    def _trim(self) -> None:
        """Remove what is too much, and what crashes left behind."""
        found: list[tuple[float, int, Path]] = []
        now = time.time()
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    path = Path(entry.path)
                    if entry.name.endswith(TEMPORARY) or _HALF_EXPORT.fullmatch(entry.name):
                        if now - status.st_mtime > ABANDONED_S:
                            _remove(path)
                    elif entry.name.endswith((_TRACE, _RESULT, _EXPORT)):
                        found.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._max_bytes:
                return
            _remove(path)
            total -= size


@functools.cache
def _version() -> tuple[str, str]:
    """The installed version, and a digest of the code that results come from.

    The digest is for people who change that code: their version stays the same for long.
    """
    try:
        version = importlib.metadata.version("genscope")
    except importlib.metadata.PackageNotFoundError:
        version = ""
    digest = hashlib.sha256()
    for package in (genscope.schema, genscope.trace, genscope.analysis, genscope.perfetto):
        for folder in package.__path__:
            for path in sorted(Path(folder).rglob("*.py")):
                with contextlib.suppress(OSError):
                    status = path.stat()
                    digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return version, digest.hexdigest()


def _checksum(body: bytes) -> bytes:
    return b"%08x\n" % zlib.crc32(body)


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{TEMPORARY}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        _remove(temporary)
        raise


def _touch(path: Path) -> None:
    """Note that a file was used: the time of modification is the order of removal."""
    with contextlib.suppress(OSError):
        os.utime(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
