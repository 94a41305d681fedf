"""`python -m genscope.suite.trim`: copy recorded runs without what no view reads, for a repository.

Left out are the profiler's own numbers of events, the name of the file, the strides of inputs, and
the indentation of the text. Names, times, shapes, types and values of inputs, and the annotations
stay as they are.
The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

UNREAD = ("Record function id", "Ev Idx", "External id", "Input Strides")
"""Arguments of events that are left out. External ids tell something of launches alone."""

_SUFFIX = ".pt.trace.json.gz"


def trimmed(source: Path) -> bytes:
    """Return the gzip file that takes the place of a recorded one.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds no trace, or one of a device, whose launches need what is left out.
    """
    document: Any = json.loads(gzip.decompress(source.read_bytes()))
    events = document.get("traceEvents") if isinstance(document, dict) else None
    if events is None:
        raise ValueError("there are no events in it")
    if document.get("deviceProperties"):
        raise ValueError("it has events of a device")
    for event in events:
        for name in UNREAD:
            event.get("args", {}).pop(name, None)
    # The name that it had where it was recorded.
    document.pop("traceName", None)
    text = json.dumps(document, separators=(",", ":")).encode()
    return gzip.compress(text, compresslevel=9, mtime=0)


def trim(runs: Path, target: Path) -> list[Path]:
    """Copy every trace under `runs`, in folders of the same names; return the files written.

    A file is called after its first part, as `cpu.pt.trace.json.gz`.

    Raises:
        OSError: Something cannot be read or written.
        ValueError: A file is none of the suite's on a CPU; the text names it.
    """
    written = []
    for source in sorted(runs.rglob(f"*{_SUFFIX}")):
        copy = target / source.relative_to(runs).with_name(source.name.partition(".")[0] + _SUFFIX)
        try:
            made = trimmed(source)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(made)
        written.append(copy)
    return written


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status, 2 if something is not as it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m genscope.suite.trim",
        description="Copy runs that were recorded on a CPU without what no view reads.",
    )
    parser.add_argument("runs", type=Path, help="what `genscope suite run` has written")
    parser.add_argument("target", type=Path, help="the folder to write to")
    given = parser.parse_args(argv)
    try:
        written = trim(given.runs, given.target)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in written)
    print(f"traces: {len(written)}, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
