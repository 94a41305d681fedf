"""A file that appears whole or not at all, as gzip where its name ends in .gz."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import IO, cast

from isal import igzip

_LEVEL = 2


@contextlib.contextmanager
def whole(path: str) -> Iterator[IO[bytes]]:
    """Write a file beside `path` that takes its place at the end; nothing is left of a failure.

    Raises OSError where it cannot be written.
    """
    folder = os.path.dirname(path) or "."
    number, made = tempfile.mkstemp(dir=folder, prefix=f".{os.path.basename(path)}.")
    try:
        with os.fdopen(number, "wb", buffering=1 << 20) as file:
            if path.endswith(".gz"):
                with igzip.open(file, "wb", compresslevel=_LEVEL) as packed:  # type: ignore[no-untyped-call]
                    yield cast("IO[bytes]", packed)
            else:
                yield file
        os.chmod(made, 0o666 & ~_umask())
        os.replace(made, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(made)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def scratch(path: str) -> IO[bytes]:
    """A nameless file beside `path`, which is gone when it is closed."""
    return cast("IO[bytes]", tempfile.TemporaryFile(dir=os.path.dirname(path) or "."))
