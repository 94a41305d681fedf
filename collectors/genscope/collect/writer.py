"""A trace on disk: whole, valid and under its name, or not there at all.

Kineto reports neither a full disk nor a folder that cannot be written, and takes text into its JSON
as it comes. So it writes into a hidden file; that one is checked, mended and compressed into
another, and only a finished file gets the name that readers look for.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from genscope.collect.mend import Mended, NotATraceError, stream

_LOG = logging.getLogger("genscope")
_LEVEL = 4


def write(
    save: Callable[[str], object], folder: str, worker: str, *, compress: bool = True
) -> tuple[str, Mended]:
    """Have `save` write a trace, and put it into `folder` under torch's TensorBoard name.

    `save` takes a path and writes Kineto's JSON there. Returns the path of the trace and what was
    found in it. Raises OSError, with no file left behind, where it cannot be written.
    """
    os.makedirs(folder, exist_ok=True)
    stem = f".genscope-{os.getpid()}-{time.time_ns()}"
    packed = os.path.join(folder, f"{stem}.part")
    with contextlib.ExitStack() as clean:
        clean.callback(_remove, packed)
        # Tried first, since a profile can be saved only once.
        with open(packed, "xb"):
            pass
        place = folder
        if "\\" in folder:
            # Kineto takes a backslash for a slash, and would write elsewhere.
            place = clean.enter_context(tempfile.TemporaryDirectory(prefix="genscope-"))
        raw = os.path.join(place, f"{stem}.json")
        clean.callback(_remove, raw)
        clean.callback(_remove, f"{raw}.tmp")
        save(raw)
        if not os.path.isfile(raw):
            raise OSError(errno.ENOSPC, "torch could not write the trace", place)
        path = _free(folder, worker, ".pt.trace.json" + (".gz" if compress else ""))
        found = Mended()
        try:
            with open(raw, "rb") as source, _target(packed, compress) as target:
                for piece in stream(source, os.path.basename(path), found):
                    target.write(piece)
        except NotATraceError as error:
            raise OSError(errno.EIO, f"torch wrote no whole trace, {error}", folder) from error
        os.replace(packed, path)
        _settle(folder)
    return path, found


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.remove(path)


def why_not(folder: str, error: BaseException) -> str:
    """Say in one line why there is no trace, and what to do."""
    reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
    code = getattr(error, "errno", None)
    advice = "give another folder as output"
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        with contextlib.suppress(OSError):
            reason += f" ({shutil.disk_usage(folder).free / 1e6:.0f} MB are free)"
        advice = "free some space, record less, or give another folder as output"
    return f"{folder}: the trace is not written: {' '.join(str(reason).split())}; {advice}"


def _free(folder: str, worker: str, ending: str) -> str:
    stamp = time.time_ns()
    while os.path.lexists(os.path.join(folder, f"{worker}.{stamp}{ending}")):
        stamp += 1
    return os.path.join(folder, f"{worker}.{stamp}{ending}")


@contextlib.contextmanager
def _target(path: str, compress: bool) -> Iterator[BinaryIO]:
    with open(path, "wb") as file:
        if compress:
            with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as target:
                yield target  # type: ignore[misc] # binary, though not a BinaryIO by name
        else:
            yield file
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: str) -> None:
    """Have the name itself on disk; not every file system can."""
    with contextlib.suppress(OSError):
        place = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
