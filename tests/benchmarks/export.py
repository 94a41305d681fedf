"""How fast a long trace is exported, in how much memory, and how large the result is.

    python -m tests.benchmarks.export [--copies 8] [--rounds 3]

Prints a markdown table. Figures are medians of the rounds, each in a process of its own; CPU
seconds are user and system time without imports; sizes are in MB of 10^6 bytes, `of text` is over
the JSON.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests import paths
from tests.benchmarks.run import BASE, MIB, measured, middle, repeated, table

WRITTEN = {"native": "*.pftrace", "native-gz": "*.pftrace.gz", "chrome": "*.json"}


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--traces", type=Path, default=paths.shared_traces())
    options = parser.parse_args()
    if options.traces is None:
        parser.error("no folder of traces; name one with --traces")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        path = repeated(Path(name), options.traces, options.copies)
        for what, title in WRITTEN.items():
            one = middle([measured(what, path) for _ in range(options.rounds)])
            rows.append(
                [
                    title,
                    f"{one['load']:.2f}",
                    f"{one['export']:.2f}",
                    f"{one['text'] / 1e6 / one['export']:.0f}",
                    f"{one['peak'] / MIB:.0f}",
                    f"{one['size'] / 1e6:.1f}",
                    f"{one['size'] / one['text']:.3f}",
                ]
            )
    head = ["written", "load, CPU s", "export, CPU s", "MB/s", "peak MiB", "MB", "of text"]
    print(f"{BASE}, {options.copies} times over: {one['text'] / 1e6:.0f} MB of JSON\n")
    print(table(head, rows), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
