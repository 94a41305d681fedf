"""How fast traces are read and broken down, beside `orjson.loads` of the same text.

    python -m tests.benchmarks.run [--rounds 7] [--large-rounds 3]

Prints two markdown tables. Every figure is the median of the rounds, `best` the least total;
the programs take turns, each run in a process of its own, so that a busy machine slows all
alike. CPU seconds are user and system time without imports; peak memory is the process's.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import paths

BASE = "diffusion-sd3.5-mi300x"
LARGE = (8, 10)
"""Copies of it that make a large trace: of about 500 MB, and with ten times its events."""

MIB = 2**20
Measured = dict[str, float]


def measured(what: str, path: Path) -> Measured:
    """Measure once in a fresh process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.measure", what, str(path)],
        check=True,
        capture_output=True,
        cwd=paths.REPOSITORY,
        env=environment,
        text=True,
    )
    found: Measured = json.loads(done.stdout)
    return found


def middle(each: list[Measured]) -> Measured:
    """The medians of a run's figures, and as `best` the least total."""
    found = {key: statistics.median(one[key] for one in each) for key in each[0]}
    return {**found, "best": min(one["total"] for one in each)}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A markdown table, figures to the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def against_orjson(folder: Path, shared: Path, rounds: int) -> str:
    """One real trace, plain, as gzip, and exported as a native one."""
    stored = shared / f"{BASE}.json.gz"
    plain = folder / f"{BASE}.json"
    with gzip.open(stored) as source, open(plain, "wb") as target:
        shutil.copyfileobj(source, target)
    native = folder / f"{BASE}.pftrace"
    export = ["genscope.cli.main", "export", str(stored), "-o", str(native)]
    subprocess.run([sys.executable, "-m", *export], check=True, capture_output=True)
    runs = [("genscope", plain), ("genscope", stored), ("genscope", native), ("orjson", plain)]
    seen: list[list[Measured]] = [[] for _ in runs]
    for _ in range(rounds):
        for place, (what, path) in enumerate(runs):
            seen[place].append(measured(what, path))
    found = [middle(each) for each in seen]
    decoding = found[-1]["total"]
    rows = []
    for name, one in zip(("plain", "gzip", "as .pftrace"), found, strict=False):
        rows.append(
            [
                f"{BASE}, {name}",
                f"{one['load']:.2f}",
                f"{one['breakdown']:.2f}",
                f"{one['total']:.2f}",
                f"{one['best']:.2f}",
                f"{one['total'] / decoding:.2f}",
                f"{one['peak'] / MIB:.0f}",
            ]
        )
    peak = f"{found[-1]['peak'] / MIB:.0f}"
    best = f"{found[-1]['best']:.2f}"
    rows.append(["orjson.loads, collector on", "", "", f"{decoding:.2f}", best, "1.00", peak])
    size = plain.stat().st_size / 1e6
    head = [
        f"{size:.1f} MB of text", "load, CPU s", "breakdown", "total", "best", "ratio", "peak MiB",
    ]  # fmt: skip
    return table(head, rows)


def linearity(folder: Path, shared: Path, rounds: int) -> str:
    """The same trace several times over: time by size, and the memory of a large one.

    A long run is compared with as many short ones, just before it: a processor that is now fast
    and now slow, as shared ones are, is then the same for both.
    """
    made = {copies: repeated(folder, shared, copies) for copies in (1, *LARGE)}
    seen: dict[int, list[Measured]] = {copies: [] for copies in made}
    times: dict[int, list[float]] = {1: [1.0], **{copies: [] for copies in LARGE}}
    for _ in range(rounds):
        for copies in LARGE:
            short = [measured("genscope", made[1]) for _ in range(copies)]
            long = measured("genscope", made[copies])
            seen[1] += short
            seen[copies].append(long)
            mean = statistics.fmean(one["total"] for one in short)
            times[copies].append(long["total"] / mean)
    rows = []
    for copies, path in made.items():
        one = middle(seen[copies])
        rows.append(
            [
                f"{path.stat().st_size / 1e6:.0f} MB",
                f"{one['rows']:,.0f}",
                f"{copies}",
                f"{one['load']:.2f}",
                f"{one['breakdown']:.2f}",
                f"{one['total']:.2f}",
                f"{one['best']:.2f}",
                f"{statistics.median(times[copies]):.2f}",
                f"{one['peak'] / MIB:.0f}",
            ]
        )
    head = [
        "size", "slices", "x slices", "load, CPU s", "breakdown", "total", "best", "x time",
        "peak MiB",
    ]  # fmt: skip
    return table(head, rows)


def repeated(folder: Path, shared: Path, copies: int) -> Path:
    """Make the long trace, in a process of its own."""
    path = folder / f"{copies}.json"
    source = str(shared / f"{BASE}.json.gz")
    command = [sys.executable, "-m", "tests.benchmarks.repeat", source, str(copies), str(path)]
    subprocess.run(command, check=True, cwd=paths.REPOSITORY)
    return path


def main() -> int:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--large-rounds", type=int, default=3)
    parser.add_argument("--traces", type=Path, default=paths.shared_traces())
    options = parser.parse_args()
    if options.traces is None:
        parser.error("no folder of traces; name one with --traces")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(against_orjson(folder, options.traces, options.rounds), flush=True)
        if options.large_rounds:
            print()
            print(linearity(folder, options.traces, options.large_rounds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
