"""Break real traces at random and see that nothing worse than an error message happens.

    python -m tests.fuzz.run --cases 100000 --seed 1 --analyse

Cases run in a child process, one after another; it is watched for its time and its memory. A
case depends on the seed and its number alone: `--only NUMBER --keep FILE` makes one again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.connection
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests import paths
from tests.fuzz.check import examine
from tests.fuzz.corpus import excerpts
from tests.fuzz.mutate import mutated

BLOCK_SIZES = (None, None, 1 << 14, 1 << 12, 1 << 10, 200)
LONGEST_S = 10.0
ADDRESS_SPACE = 4 << 30
CASES_A_WORKER = 5000
"""A new child after so many: what one leaks then shows in its peak, not in the next one's."""


@dataclass
class Summary:
    """What a run of the fuzzer saw."""

    cases: int = 0
    refused: int = 0
    crashes: list[tuple[int, str]] = field(default_factory=list)
    hangs: list[int] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    """In how many cases each warning was given."""
    rows: int = 0
    slowest: tuple[float, int] = (0.0, -1)
    peak_bytes: int = 0
    first_bytes: int = 0
    """Peak memory of a child before its first case."""

    def lines(self) -> list[str]:
        """The summary for people."""
        kept = self.cases - self.refused - len(self.crashes) - len(self.hangs)
        found = [
            f"cases {self.cases:,}: {kept:,} read ({self.rows:,} rows), "
            f"{self.refused:,} refused with a line",
            f"crashes {len(self.crashes):,}, hangs {len(self.hangs):,}",
            f"slowest case {self.slowest[0]:.2f} CPU s (number {self.slowest[1]})",
            f"peak memory {self.peak_bytes / 2**20:.0f} MiB "
            f"({self.first_bytes / 2**20:.0f} MiB before the first case)",
        ]
        found += [f"  {count:>8,} {code}" for code, count in self.codes.most_common()]
        found += [f"hang in case {case}" for case in self.hangs]
        found += [f"crash in case {case}: {text}" for case, text in self.crashes[:50]]
        return found


def corpus(folder: Path, names: list[str] | None, each: int, seed: int) -> list[bytes]:
    """Excerpts of the traces of a folder, the same ones for the same seed."""
    made: list[bytes] = []
    for path in sorted(folder.glob("*.json.gz")):
        if names is None or path.name.removesuffix(".json.gz") in names:
            made += excerpts(path, each, random.Random(f"{seed}/{path.name}"))
    return made


def case_of(made: list[bytes], seed: int, case: int) -> tuple[bytes, int | None]:
    """The broken file of a case, and the block size to read it with."""
    rng = random.Random(f"{seed}/{case}")
    return mutated(rng, made), rng.choice(BLOCK_SIZES)


def _worker(
    pipe: multiprocessing.connection.Connection,
    made: list[bytes],
    seed: int,
    cases: range,
    analyse: bool,
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        pipe.send(_peak())
        for case in cases:
            data, block_bytes = case_of(made, seed, case)
            path.write_bytes(data)
            started = time.process_time()
            try:
                outcome = examine(path, analyse=analyse, block_bytes=block_bytes)
                crash = ""
            except Exception as error:
                outcome, crash = None, _where(error)
            pipe.send((case, outcome, crash, time.process_time() - started, _peak()))
    pipe.close()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _where(error: Exception) -> str:
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)[-3:]
    ]
    return f"{type(error).__name__}: {str(error)[:300]!r} at {' > '.join(frames)}"


def run(made: list[bytes], *, seed: int, cases: int, analyse: bool, loud: bool) -> Summary:
    """Run the cases from 0 on."""
    summary = Summary()
    begin = 0
    while begin < cases:
        batch = range(begin, min(cases, begin + CASES_A_WORKER))
        begin = _batch(summary, made, seed, batch, analyse)
        if loud:
            print(f"{begin:,} cases", *summary.lines()[1:4], sep="; ", flush=True)
    return summary


def _batch(summary: Summary, made: list[bytes], seed: int, cases: range, analyse: bool) -> int:
    """Run a child until it is through or one case ends it; return the next case to run."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_worker, args=(theirs, made, seed, cases, analyse))
    child.start()
    theirs.close()
    following = cases.start
    try:
        summary.first_bytes = max(summary.first_bytes, ours.recv())
        while following < cases.stop:
            if not ours.poll(LONGEST_S):
                summary.hangs.append(following)
                child.kill()
                break
            case, outcome, crash, seconds, peak = ours.recv()
            following = case + 1
            summary.cases += 1
            summary.peak_bytes = max(summary.peak_bytes, peak)
            summary.slowest = max(summary.slowest, (seconds, case))
            if crash:
                summary.crashes.append((case, crash))
            elif outcome.refused:
                summary.refused += 1
            else:
                summary.rows += outcome.rows
                summary.codes.update(outcome.codes.keys() or ["(no warning)"])
            continue
    except EOFError:
        summary.crashes.append((following, "the process died"))
    finally:
        child.join(5)
        ours.close()
    if following < cases.stop:
        # Hung or died in this one: it counts, and the next child goes on behind it.
        summary.cases += 1
        return following + 1
    return following


def main() -> int:
    """Run from the command line; 1 where anything crashed or hung."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=12, help="excerpts of each trace")
    parser.add_argument("--analyse", action="store_true", help="also break the traces down")
    parser.add_argument("--traces", type=Path, default=paths.shared_traces())
    parser.add_argument("--only", type=int, help="run this case in this process")
    parser.add_argument("--keep", type=Path, help="write the file of the case here")
    options = parser.parse_args()
    if options.traces is None:
        parser.error("no folder of traces; name one with --traces")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    made = corpus(options.traces, None, options.each, options.seed)
    if options.only is not None:
        data, block_bytes = case_of(made, options.seed, options.only)
        keep = options.keep or Path(tempfile.mkdtemp()) / "trace.json"
        keep.write_bytes(data)
        print(f"{keep}, block size {block_bytes}")
        print(examine(keep, analyse=options.analyse, block_bytes=block_bytes))
        return 0
    summary = run(made, seed=options.seed, cases=options.cases, analyse=options.analyse, loud=True)
    print(*summary.lines(), sep="\n")
    return 1 if summary.crashes or summary.hangs else 0


if __name__ == "__main__":
    sys.exit(main())
