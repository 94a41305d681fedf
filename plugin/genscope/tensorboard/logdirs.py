"""Where TensorBoard was told to look: `--logdir`, or the folders of `--logdir_spec`."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from genscope.tensorboard.files import is_remote


class Logdir(NamedTuple):
    """A folder to look in, and the prefix of the ids of what is found there (may be empty)."""

    path: str
    prefix: str


def logdirs_of(logdir: Any, flags: Any) -> list[Logdir]:
    """Return the folders to look in, none where TensorBoard names none.

    `logdir` and `flags` are those of TensorBoard's context: either may be None or empty. Local
    paths come out absolute, since TensorBoard passes them as they were typed.
    """
    if logdir:
        return [Logdir(_absolute(str(logdir)), "")]
    return _parse_spec(str(getattr(flags, "logdir_spec", None) or ""))


def _parse_spec(spec: str) -> list[Logdir]:
    """Read `name:path,path,…` by TensorBoard's rules; unnamed folders share no prefix."""
    found = [_split_name(part.strip()) for part in spec.split(",") if part.strip()]
    unnamed = [path for name, path in found if not name]
    taken = {name for name, _ in found if name}
    logdirs: list[Logdir] = []
    for name, path in found:
        prefix = name
        if not name and (len(unnamed) > 1 or taken):
            prefix = _unused(os.path.basename(path.rstrip("/\\")) or path, taken)
            taken.add(prefix)
        logdirs.append(Logdir(path, prefix))
    return logdirs


def _split_name(part: str) -> tuple[str, str]:
    name, colon, path = part.partition(":")
    named = colon and not is_remote(part) and not part.startswith("/")
    if not named or os.path.splitdrive(part)[0]:
        return "", _absolute(part)
    return name, _absolute(path)


def _unused(wish: str, taken: set[str]) -> str:
    number = 1
    name = wish
    while name in taken:
        number += 1
        name = f"{wish}-{number}"
    return name


def _absolute(path: str) -> str:
    return path if is_remote(path) else os.path.abspath(os.path.expanduser(path))
