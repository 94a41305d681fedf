"""The few file operations that discovery needs, on local folders and on remote ones."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple, Protocol, TypeVar

_T = TypeVar("_T")

PART_BYTES = 1 << 18
"""What is held of a file that is passed on."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Entry(NamedTuple):
    """A name in a folder; what is neither a folder nor a regular file is not listed."""

    name: str
    path: str
    is_folder: bool
    is_link: bool


class Stamp(NamedTuple):
    """What tells one version of a file from the next; `mtime_ns` is epoch ns where known."""

    size_bytes: int
    mtime_ns: int | None

    def is_younger(self, seconds: float, now: float) -> bool:
        """Whether the file changed less than so long from `now` (epoch seconds).

        The clock of a server may be ahead of ours, so the future counts as well.
        """
        return self.mtime_ns is not None and abs(now - self.mtime_ns / 1e9) < seconds


class FileSystem(Protocol):
    """Read-only access to a tree; every method raises OSError with a message fit for people."""

    def entries(self, folder: str, is_wanted: Callable[[str], bool]) -> list[Entry]:
        """Return the sub-folders of `folder` and its files whose name `is_wanted`."""

    def identity(self, folder: str) -> Hashable:
        """Return the same value for the same folder, by whatever path it was reached."""

    def stamp(self, path: str) -> Stamp:
        """Return size and modification time of a regular file."""

    def head(self, path: str, size: int) -> bytes:
        """Return up to `size` first bytes of a regular file."""

    def parts(self, path: str, size: int) -> Iterator[bytes]:
        """Return the first `size` bytes of a regular file, piece by piece.

        The file is opened at once, the pieces are read as they are asked for. What comes after
        `size` bytes was written since; a file that has fewer ends early.
        """


def is_remote(path: str) -> bool:
    """Whether `path` is a URL such as `s3://bucket/runs`."""
    return _SCHEME.match(path) is not None


def file_system_of(path: str) -> FileSystem:
    """Return the file system that `path` lies on."""
    return RemoteFiles() if is_remote(path) else LocalFiles()


class LocalFiles:
    """Local folders. Links are followed; pipes, sockets and devices are never opened."""

    def entries(self, folder: str, is_wanted: Callable[[str], bool]) -> list[Entry]:
        """See `FileSystem.entries`."""
        entries = []
        with os.scandir(folder) as found:
            for item in found:
                is_folder = _quietly(item.is_dir)
                if is_folder or (is_wanted(item.name) and _quietly(item.is_file)):
                    entries.append(Entry(item.name, item.path, is_folder, item.is_symlink()))
        return entries

    def identity(self, folder: str) -> Hashable:
        """See `FileSystem.identity`."""
        status = os.stat(folder)
        return status.st_dev, status.st_ino

    def stamp(self, path: str) -> Stamp:
        """See `FileSystem.stamp`."""
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(f"{path} is no regular file")
        return Stamp(status.st_size, status.st_mtime_ns)

    def head(self, path: str, size: int) -> bytes:
        """See `FileSystem.head`."""
        with open(path, "rb", buffering=0) as file:
            return file.read(size)

    def parts(self, path: str, size: int) -> Iterator[bytes]:
        """See `FileSystem.parts`."""
        return _parts(open(path, "rb", buffering=0), size)


class RemoteFiles:
    """Remote folders, by the means of TensorBoard itself: `tf.io.gfile` or its stand-in."""

    def __init__(self) -> None:
        from tensorboard.compat import tf

        self._gfile: Any = tf.io.gfile

    def entries(self, folder: str, is_wanted: Callable[[str], bool]) -> list[Entry]:
        """See `FileSystem.entries`."""
        return self._guarded(folder, lambda: self._entries(folder, is_wanted))

    def identity(self, folder: str) -> Hashable:
        """See `FileSystem.identity`."""
        return folder

    def stamp(self, path: str) -> Stamp:
        """See `FileSystem.stamp`."""
        status = self._guarded(path, lambda: self._gfile.stat(path))
        mtime_ns = getattr(status, "mtime_nsec", None)
        return Stamp(int(status.length), None if mtime_ns is None else int(mtime_ns))

    def head(self, path: str, size: int) -> bytes:
        """See `FileSystem.head`."""
        return self._guarded(path, lambda: self._head(path, size))

    def parts(self, path: str, size: int) -> Iterator[bytes]:
        """See `FileSystem.parts`."""
        return _parts(self._guarded(path, lambda: self._gfile.GFile(path, "rb")), size)

    def _entries(self, folder: str, is_wanted: Callable[[str], bool]) -> list[Entry]:
        if not self._gfile.isdir(folder):
            raise FileNotFoundError(f"{folder} does not exist")
        entries = []
        for listed in self._gfile.listdir(folder):
            name = listed.rstrip("/")
            path = f"{folder.rstrip('/')}/{name}"
            # Each isdir is a request, so names that tell what they are go without.
            if is_wanted(name):
                entries.append(Entry(name, path, False, False))
            elif ".tfevents." not in name and self._gfile.isdir(path):
                entries.append(Entry(name, path, True, False))
        return entries

    def _head(self, path: str, size: int) -> bytes:
        with self._gfile.GFile(path, "rb") as file:
            # TensorBoard's stand-in would fetch 16 MiB to give us the first few bytes.
            file.buff_chunk_size = size
            return bytes(file.read(size))

    def _guarded(self, path: str, call: Callable[[], _T]) -> _T:
        """Turn whatever a storage back end raises into an OSError of one line."""
        try:
            return call()
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"{path}: {one_line(error)}") from error


def _parts(file: Any, size: int) -> Iterator[bytes]:
    with file:
        while size > 0:
            part = file.read(min(size, PART_BYTES))
            if not part:
                return
            size -= len(part)
            yield part


def as_text(path: str) -> str:
    """Return a path as text that JSON can carry, whatever bytes it is made of."""
    return path.encode("utf-8", "replace").decode()


def one_line(error: BaseException) -> str:
    """Return an error's message in one line, or its type where it has none."""
    return as_text(" ".join(str(error).split())) or type(error).__name__


def _quietly(test: Callable[[], bool]) -> bool:
    try:
        return test()
    except OSError:
        return False
