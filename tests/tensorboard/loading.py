"""A reader that stands in for reading, and files for a loader to ask it for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from genscope.analysis.selection import Selection
from genscope.tensorboard.discovery import TraceFile
from genscope.tensorboard.files import Stamp
from genscope.tensorboard.loader import Loader, State, Status
from genscope.tensorboard.reading import Opened, Progress
from genscope.tensorboard.views import Ask
from tests.tensorboard.support import PATIENCE_S, until

ASK = Ask("operators")
FILTERED = Ask("operators", Selection(passes=("forward",)))
LARGE = 1000


def body(path: str, ask: Ask = ASK) -> bytes:
    return f"{path} {ask.view} {','.join(ask.selection.passes)}".encode()


@dataclass
class Answering:
    """An open trace that answers with `body`."""

    reader: Reader
    path: str
    is_incomplete: bool = False

    def answer(self, ask: Ask) -> bytes:
        self.reader.answered.append((self.path, ask))
        if ask.view == "broken":
            raise ZeroDivisionError("by\nzero")
        return body(self.path, ask)

    def keep(self) -> None:
        self.reader.kept.append(self.path)


Outcome = Callable[["Reader", str], Answering]


class Reader:
    """Stands in for reading: waits until it is let go, then gives what it was told."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.paths: list[str] = []
        self.answered: list[tuple[str, Ask]] = []
        self.kept: list[str] = []
        self.recalled: dict[tuple[str, Ask], bytes] = {}
        self.remembered: dict[tuple[str, Ask], bytes] = {}
        self.open_now: list[str] = []
        self.open_together: set[tuple[str, ...]] = set()
        self.go = threading.Event()
        self.go.set()
        self._outcomes = list(outcomes)

    def asked_of_all(self) -> list[Ask]:
        return [ASK, Ask("overview")]

    def is_large(self, file: TraceFile) -> bool:
        return file.stamp.size_bytes >= LARGE

    def recent(self, file: TraceFile, ask: Ask) -> bytes | None:
        return self.remembered.get((file.path, ask))

    def recall(self, file: TraceFile, ask: Ask) -> bytes | None:
        return self.recalled.get((file.path, ask))

    def open(self, file: TraceFile, progress: Progress) -> Opened:
        self.paths.append(file.path)
        self.open_now.append(file.path)
        self.open_together.add(tuple(sorted(self.open_now)))
        try:
            progress(7, 10)
            assert self.go.wait(PATIENCE_S)
            progress(9, 10)
        finally:
            self.open_now.remove(file.path)
        return (self._outcomes.pop(0) if self._outcomes else Answering)(self, file.path)


class Clock:
    """Epoch seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def fail(error: Exception) -> Outcome:
    def outcome(reader: Reader, path: str) -> Answering:
        raise error

    return outcome


def cut(reader: Reader, path: str) -> Answering:
    return Answering(reader, path, is_incomplete=True)


def file(path: str = "a", size: int = 10, changed_at: float | None = 0.0) -> TraceFile:
    stamp = Stamp(size, None if changed_at is None else int(changed_at * 1e9))
    return TraceFile(id=path, label=path, run=".", file=path, path=path, stamp=stamp)


def settle(loader: Loader, of: TraceFile) -> Status:
    return until(  # type: ignore[no-any-return]
        lambda: loader.request(of, ASK),
        lambda status: status.state in (State.READY, State.FAILED),
    )
