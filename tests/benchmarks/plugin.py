"""What the plugin costs and how quick it is, in real TensorBoards.

    python -m tests.benchmarks.plugin [--rounds 7] [--copies 8] [--calls 100000]

Prints markdown. Times are wall time seen by a client on the same machine.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from genscope.tensorboard.names import parse
from tests import paths
from tests.benchmarks.run import BASE, MIB, table

DATA = "/data/plugin/genscope"
CLIENTS = 50
FILES = 1000
POLL_S = 0.05
PROGRAM = """
import sys
from tensorboard import default, main_lib, program
main_lib.global_init()
wanted = [p for p in default.get_plugins() if not getattr(p, "__module__", "").startswith({!r})]
board = program.TensorBoard(plugins=wanted)
board.configure(["tensorboard", *sys.argv[1:]])
board.main()
"""
"""TensorBoard as its command starts it, without the plugins of some packages."""

OTHERS = ("torch_tb_profiler",)
"""Plugins that, where installed, would read all the traces themselves."""


class Server:
    """A TensorBoard that runs."""

    def __init__(self, address: str, process: subprocess.Popen[bytes]) -> None:
        self.address = address
        self._process = process

    def get(self, route: str) -> tuple[int, bytes]:
        """Answer of a route: status and body, also of refusals."""
        try:
            with urllib.request.urlopen(self.address + route, timeout=600) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def settled(self, route: str) -> bytes:
        """The answer of a route once it is there; raises for a refusal."""
        while True:
            status, body = self.get(route)
            if status == 200:
                return body
            if status != 202:
                raise RuntimeError(f"{route}: {status} {body[:200]!r}")
            time.sleep(POLL_S)

    def memory_bytes(self, what: str) -> int:
        """VmRSS (now) or VmHWM (the most so far) of the server."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(status.split(f"{what}:")[1].split()[0]) * 1024


@contextlib.contextmanager
def served(logdir: Path, cache: Path, *, with_plugin: bool = True) -> Iterator[Server]:
    """Run TensorBoard on `logdir`, with or without the plugin."""
    program = PROGRAM.format(OTHERS if with_plugin else (*OTHERS, "genscope"))
    arguments = ["--logdir", str(logdir), "--port", "0", "--host", "127.0.0.1"]
    environment = {
        **os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "GENSCOPE_CACHE": str(cache),
    }  # fmt: skip
    with tempfile.TemporaryFile("w+b") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=paths.REPOSITORY, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield Server(_address(process, log.fileno()), process)
        finally:
            process.terminate()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: int) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(rb"http://127\.0\.0\.1:\d+", os.pread(log, 1 << 20, 0))
        if found:
            return found[0].decode()
        time.sleep(0.05)
    raise RuntimeError(os.pread(log, 1 << 20, 0).decode(errors="replace"))


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share is not above."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


# Other tabs -------------------------------------------------------------------------------------


def other_tabs(folder: Path, shared: Path, rounds: int) -> str:
    """Two TensorBoards on one logdir, asked in turns."""
    logdir = folder / "many"
    trace = (shared / "llm-vllm-decode-cudagraph.json.gz").read_bytes()
    for number in range(FILES):
        name = f"run{number % 50}/host{number // 50}.{1_700_000_000 + number}.pt.trace.json.gz"
        path = logdir / name
        assert parse(path.name) is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(trace)
    writer = EventFileWriter(str(logdir / "scalars"))
    for step in range(1000):
        summary = Summary(value=[Summary.Value(tag="loss", simple_value=1 / (step + 1))])
        writer.add_event(Event(step=step, wall_time=time.time(), summary=summary))
    writer.close()
    scalars = "/data/plugin/scalars/scalars?" + urllib.parse.urlencode(
        {"tag": "loss", "run": "scalars"}
    )
    seen: dict[bool, list[float]] = {False: [], True: []}
    with (
        served(logdir, folder / "cache", with_plugin=False) as without,
        served(logdir, folder / "cache") as with_it,
    ):
        servers = {False: without, True: with_it}
        for server in servers.values():
            while server.get(scalars)[0] != 200:
                time.sleep(0.2)
        listings = {kind: json.loads(s.get("/data/plugins_listing")[1]) for kind, s in
                    servers.items()}  # fmt: skip
        assert "genscope" in listings[True]
        assert "genscope" not in listings[False]
        for place in range(rounds * 30):
            for kind in (False, True) if place % 2 else (True, False):
                server = servers[kind]
                seen[kind].append(
                    seconds(lambda: [server.get("/data/plugins_listing"), server.get(scalars)])  # noqa: B023
                )
    medians = {kind: statistics.median(values) for kind, values in seen.items()}
    rows = [
        [name, f"{1000 * medians[kind]:.1f}", f"{1000 * quantile(seen[kind], 0.95):.1f}",
         f"{medians[kind] / medians[False]:.3f}"]
        for name, kind in (("without the plugin", False), ("with it", True))
    ]  # fmt: skip
    return table([f"listing and scalars, {FILES:,} traces", "median ms", "p95 ms", "ratio"], rows)


# Many clients -----------------------------------------------------------------------------------


def many_clients(folder: Path, shared: Path) -> str:
    """Every client compares all the runs and looks at each."""
    rows = []
    for name in ("cold", "warm"):
        with served(shared, folder / "crowd") as server:
            runs = [run["id"] for run in json.loads(server.get(f"{DATA}/runs")[1])["runs"]]
            before = server.memory_bytes("VmRSS")
            routes = [f"{DATA}/compare?" + urllib.parse.urlencode({"run": runs}, doseq=True)]
            routes += [
                f"{DATA}/{view}?" + urllib.parse.urlencode({"run": run})
                for run in runs
                for view in ("overview", "operators")
            ]

            def client(server: Server = server, routes: list[str] = routes) -> tuple[int, float]:
                started = time.perf_counter()
                return sum(bool(server.settled(route)) for route in routes), (
                    time.perf_counter() - started
                )

            started = time.perf_counter()
            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                answered = [task.result() for task in [pool.submit(client) for _ in range(CLIENTS)]]
            assert all(count == len(routes) for count, _ in answered)
            rows.append(
                [
                    name,
                    f"{sum(count for count, _ in answered):,} of {CLIENTS * len(routes):,}",
                    f"{time.perf_counter() - started:.1f}",
                    f"{statistics.median(took for _, took in answered):.1f}",
                    f"{before / MIB:.0f}",
                    f"{server.memory_bytes('VmHWM') / MIB:.0f}",
                ]
            )
    head = [f"{CLIENTS} clients, {len(runs)} runs", "answered", "all, s", "a client, s",
            "MiB at the start", "peak MiB"]  # fmt: skip
    return table(head, rows)


# First figures ----------------------------------------------------------------------------------


def first_figures(folder: Path, traces: Sequence[Path]) -> str:
    """From the first request to the overview: nothing known, then in a TensorBoard of its own."""
    rows = []
    for trace in traces:
        logdir = folder / f"logdir-{trace.name}"
        logdir.mkdir()
        os.link(trace, logdir / trace.name)
        query = urllib.parse.urlencode({"run": trace.name})
        route = f"{DATA}/overview?{query}"
        with served(logdir, folder / "first") as server:
            started = time.perf_counter()
            progress = None
            latencies: list[float] = []
            done = threading.Event()
            beside = threading.Thread(target=_ask_beside, args=(server, latencies, done))
            beside.start()
            while server.get(route)[0] == 202:
                state = json.loads(server.get(route)[1])
                if progress is None and state.get("read_bytes"):
                    progress = time.perf_counter() - started
                time.sleep(POLL_S)
            cold = time.perf_counter() - started
            done.set()
            beside.join()
            peak = server.memory_bytes("VmHWM")
            filtered = seconds(lambda: server.settled(f"{route}&pass=forward"))  # noqa: B023
            while not list((folder / "first").glob("*.trace")):
                time.sleep(0.1)
        with served(logdir, folder / "first") as server:
            assert server.get(f"{DATA}/runs")[0] == 200
            warm = seconds(lambda: server.settled(route))  # noqa: B023
            again = seconds(lambda: server.settled(f"{route}&pass=backward"))  # noqa: B023
        rows.append(
            [
                f"{trace.stat().st_size / 1e6:.0f} MB",
                f"{cold:.2f}",
                "" if progress is None else f"{1000 * progress:.0f}",
                f"{1000 * quantile(latencies, 0.5):.0f} / {1000 * quantile(latencies, 0.95):.0f}",
                f"{peak / MIB:.0f}",
                f"{filtered:.2f}",
                f"{1000 * warm:.0f}",
                f"{again:.2f}",
            ]
        )
        shutil.rmtree(folder / "first")
    head = [
        "trace", "cold, s", "first progress, ms", "others meanwhile, p50 / p95 ms", "peak MiB",
        "filtered, s", "reopened, ms", "reopened and filtered, s",
    ]  # fmt: skip
    return table(head, rows)


def _ask_beside(server: Server, latencies: list[float], done: threading.Event) -> None:
    """What another tab would notice of the reading."""
    while not done.is_set():
        latencies.append(seconds(lambda: server.get("/data/environment")))
        time.sleep(0.02)


# Attention calls --------------------------------------------------------------------------------


def attention_windows(folder: Path, calls: int) -> str:
    """Windows of a long list of calls: the first one, and those that follow."""
    logdir = folder / "calls"
    logdir.mkdir()
    name = "host.1.pt.trace.json"
    source = [sys.executable, "-m", "tests.benchmarks.calls", str(calls), str(logdir / name)]
    subprocess.run(source, check=True, cwd=paths.REPOSITORY)
    run = f"run={name}"
    later = {
        "another window": "calls?{run}&first={place}",
        "another window, sorted": "calls?{run}&first={place}&sort=device_ns&descending=1",
        "2,000 rows, filtered, sorted by text": (
            "calls?{run}&count=2000&kind=self&sort=implementation&first={place}"
        ),
        "around a call": "calls?{run}&sort=q_len&at={place}",
        "nearest to a time": "calls?{run}&at_ns={place}000",
        "a stretch of the sequence": "sequence?{run}&from_call={place}&points=8000",
        "attention, filtered anew": "attention?{run}&kind=self&kind={place}",
    }
    rows = []
    for what in ("first", "reopened"):
        with served(logdir, folder / "attended") as server:
            for view in ("overview", "attention", "calls", "sequence", "phases"):
                took = seconds(lambda: server.settled(f"{DATA}/{view}?{run}"))  # noqa: B023
                rows.append([f"{view}, {what}", f"{1000 * took:.0f}", ""])
            for title, route in later.items() if what == "reopened" else ():
                every = []
                for number in range(1, 22):
                    asked = route.format(run=run, place=number * (calls // 23))
                    every.append(seconds(lambda: server.settled(f"{DATA}/{asked}")))  # noqa: B023
                first, *others = every
                row = [f"{title}, first", f"{1000 * first:.1f}", ""]
                middle, high = quantile(others, 0.5), quantile(others, 0.95)
                rows += [row, [f"{title}, then", f"{1000 * middle:.1f}", f"{1000 * high:.1f}"]]
    return table([f"{calls:,} attention calls", "ms (p50)", "p95"], rows)


def main() -> int:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--copies", type=int, default=8, help="copies that make the large trace")
    parser.add_argument("--calls", type=int, default=100_000, help="attention calls of a trace")
    parser.add_argument("--traces", type=Path, default=paths.shared_traces())
    options = parser.parse_args()
    if options.traces is None:
        parser.error("no folder of traces; name one with --traces")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(attention_windows(folder, options.calls), flush=True)
        print()
        made = []
        for copies in (1, options.copies):
            made.append(folder / f"copies{copies}.json")
            source = str(options.traces / f"{BASE}.json.gz")
            command = [sys.executable, "-m", "tests.benchmarks.repeat", source, str(copies)]
            subprocess.run([*command, str(made[-1])], check=True, cwd=paths.REPOSITORY)
        print(first_figures(folder, made), flush=True)
        print()
        print(many_clients(folder, options.traces), flush=True)
        print()
        print(other_tabs(folder, options.traces, options.rounds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
