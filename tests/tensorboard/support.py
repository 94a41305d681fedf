"""Small traces, and the plugin behind TensorBoard's own routing but with nothing served."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tensorboard.backend.application import TensorBoardWSGI
from werkzeug.test import Client, TestResponse

from genscope.tensorboard.cache import Cache
from genscope.tensorboard.discovery import Discovery, TraceFile
from genscope.tensorboard.loader import Loader
from genscope.tensorboard.logdirs import Logdir
from genscope.tensorboard.plugin import GenScopePlugin
from genscope.tensorboard.reading import CachedReading, Opened, Progress
from genscope.tensorboard.static import Static

DATA = "/data/plugin/genscope"
FILE = "host.1.pt.trace.json"
PATIENCE_S = 60.0


def trace_text(matmuls: int = 2) -> str:
    """A device trace of so many matrix products, each with a kernel of 50 µs."""
    events: list[dict[str, Any]] = []
    for number in range(1, matmuls + 1):
        start = 1000.0 * number
        common = {"ph": "X", "pid": 1, "tid": 1}
        args = {"correlation": number, "External id": number}
        events += [
            {**common, "cat": "cpu_op", "name": "aten::mm", "ts": start, "dur": 100.0,
             "args": {"External id": number}},
            {**common, "cat": "cuda_runtime", "name": "cudaLaunchKernel", "ts": start + 10,
             "dur": 5.0, "args": args},
            {"ph": "X", "cat": "kernel", "name": "ampere_sgemm_128x64_nn", "pid": 0, "tid": 7,
             "ts": start + 40, "dur": 50.0, "args": {**args, "device": 0, "stream": 7}},
        ]  # fmt: skip
    devices = [{"id": 0, "name": "Test GPU"}]
    return json.dumps({"schemaVersion": 1, "deviceProperties": devices, "traceEvents": events})


def write(path: Path, text: str | None = None, *, age_s: float = 3600.0) -> Path:
    """Write a trace (or `text`), gzip if the name says so, last changed `age_s` ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (trace_text() if text is None else text).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    set_age(path, age_s)
    return path


def set_age(path: Path, age_s: float) -> None:
    """Make a file look as if it was last changed `age_s` ago."""
    changed = time.time() - age_s
    os.utime(path, (changed, changed))


def discover(folder: Path, **options: Any) -> Discovery:
    """A discovery that looks afresh each time."""
    options.setdefault("keep_s", 0.0)
    return Discovery([Logdir(str(folder), "")], **options)


class Watched(CachedReading):
    """Reads for real, after `before` was told of the path; what it raises comes of the reading."""

    def __init__(
        self, before: Callable[[str, Progress], object], cache: Cache | None = None
    ) -> None:
        super().__init__(cache or Cache())
        self._before = before

    def open(self, file: TraceFile, progress: Progress) -> Opened:
        self._before(file.path, progress)
        return super().open(file, progress)


def context(logdir: str | None = None, **flags: Any) -> SimpleNamespace:
    """What TensorBoard passes to a plugin; every field that is not used is None."""
    return SimpleNamespace(
        logdir=logdir,
        flags=SimpleNamespace(**flags) if flags else None,
        multiplexer=None,
        data_provider=None,
        assets_zip_provider=None,
        plugin_name_to_instance=None,
        sampling_hints=None,
        window_title=None,
    )


def client(
    folder: Path,
    *,
    loader: Loader | None = None,
    static: Path | None = None,
    path_prefix: str = "",
) -> Client:
    """A client of the plugin on `folder`, routed as TensorBoard does."""
    plugin = GenScopePlugin(
        context(str(folder)),
        discovery=discover(folder),
        loader=loader,
        static=Static(static) if static else None,
    )
    return Client(TensorBoardWSGI([plugin], path_prefix))


def settled(get: Callable[[], TestResponse]) -> TestResponse:
    """Repeat a request until it is answered with something else than 202."""
    return until(get, lambda response: response.status_code != 202)


def until(get: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    """Repeat `get` until its result is `done`, and return that."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        got = get()
        if done(got):
            return got
        assert time.monotonic() < deadline, f"still not there: {got!r}"
        time.sleep(0.01)


_listeners: list[list[str]] = []
_heard: list[bool] = []


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _listeners and isinstance(arguments[0], str | bytes):
        for listener in _listeners:
            listener.append(os.fsdecode(arguments[0]))


@contextlib.contextmanager
def opened_files() -> Iterator[list[str]]:
    """The paths of files that any code of this process opens meanwhile, by whatever means."""
    if not _heard:
        # An audit hook stays for the life of the process.
        sys.addaudithook(_listen)
        _heard.append(True)
    opened: list[str] = []
    _listeners.append(opened)
    try:
        yield opened
    finally:
        _listeners.remove(opened)


def by_id(runs: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the route `runs`, by id."""
    return {run["id"]: run for run in runs["runs"]}


def operators(of: Client, run: str) -> TestResponse:
    """The breakdown of a run, waited for."""
    return settled(lambda: of.get(f"{DATA}/operators", query_string={"run": run}))


def compared(of: Client, *runs: str) -> TestResponse:
    """The comparison of runs, waited for."""
    return settled(lambda: of.get(f"{DATA}/compare", query_string={"run": list(runs)}))
