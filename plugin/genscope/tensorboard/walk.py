"""Walking a logdir within bounds: every file whose name could be a trace, each folder once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from genscope.tensorboard import names
from genscope.tensorboard.files import FileSystem

_SKIPPED = frozenset({"__pycache__", "node_modules"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a walk goes; what lies beyond is left out and said to be."""

    depth: int = 16
    folders: int = 20_000
    seconds: float = 10.0


class Candidate(NamedTuple):
    """A file that could be a trace, by its name; `folder` is relative to the logdir, posix."""

    folder: str
    file: str
    path: str
    name: names.Name


class Walk:
    """One pass over a logdir; `is_cut_short` tells afterwards whether it met a bound."""

    def __init__(
        self,
        root: str,
        files: FileSystem,
        bounds: Bounds,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_cut_short = False
        self._root = root
        self._files = files
        self._bounds = bounds
        self._clock = clock
        self._deadline = clock() + bounds.seconds

    @property
    def is_late(self) -> bool:
        """Whether the time is used up; noted as cut short."""
        late = self._clock() >= self._deadline
        self.is_cut_short |= late
        return late

    def __iter__(self) -> Iterator[Candidate]:
        """Yield candidates folder by folder, the upper ones first.

        Raises OSError where the root cannot be listed; other folders that cannot are passed by.
        """
        seen: set[Hashable] = set()
        # Links come last, so that a folder is found under its own name and not under a link's.
        folders: deque[tuple[str, str, int]] = deque([(self._root, names.ROOT, 0)])
        links: deque[tuple[str, str, int]] = deque()
        while folders or links:
            if len(seen) >= self._bounds.folders or self.is_late:
                self.is_cut_short = True
                return
            path, folder, depth = folders.popleft() if folders else links.popleft()
            try:
                identity = self._files.identity(path)
                if identity in seen:
                    continue
                seen.add(identity)
                entries = self._files.entries(path, _is_candidate)
            except OSError:
                if depth == 0:
                    raise
                continue
            for entry in sorted(entries):
                if not entry.is_folder:
                    name = names.parse(entry.name)
                    if name is not None:
                        yield Candidate(folder, entry.name, entry.path, name)
                elif not _is_skipped(entry.name):
                    if depth >= self._bounds.depth:
                        self.is_cut_short = True
                        continue
                    below = (entry.path, names.relative(folder, entry.name), depth + 1)
                    (links if entry.is_link else folders).append(below)


def _is_candidate(name: str) -> bool:
    return names.parse(name) is not None


def _is_skipped(folder: str) -> bool:
    return folder.startswith(".") or folder in _SKIPPED
