"""One measurement, in a process of its own: `python -m tests.benchmarks.measure WHAT PATH`.

Prints JSON: CPU seconds (user and system) of each part, without imports, and the peak memory.
"""

from __future__ import annotations

import gc
import gzip
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path


def genscope(path: Path) -> dict[str, float]:
    """Load a trace, link it and break it down."""
    from genscope.analysis.operators import breakdown
    from genscope.trace import load

    started = time.process_time()
    trace = load(path)
    loaded = time.process_time()
    operators = breakdown(trace)
    done = time.process_time()
    assert sum(row.sum_ns for row in operators.categories) == operators.basis_sum_ns
    return {
        "load": loaded - started,
        "breakdown": done - loaded,
        "total": done - started,
        "rows": len(trace.events),
    }


def orjson(path: Path) -> dict[str, float]:
    """Only decode the text, which is in memory, with the garbage collector on."""
    import orjson as decoder

    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    assert gc.isenabled()
    started = time.process_time()
    decoded = decoder.loads(data)
    return {"total": time.process_time() - started, "rows": len(decoded["traceEvents"])}


WHAT: dict[str, Callable[[Path], dict[str, float]]] = {
    "genscope": genscope,
    "orjson": orjson,
}


def peak_bytes() -> int:
    """Peak memory of this process."""
    try:
        # getrusage also counts the process that started this one, as long as both were one.
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(lines.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def warm(path: Path) -> None:
    """Read the file once, so that no run pays for the disk."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 18):
            pass


if __name__ == "__main__":
    warm(Path(sys.argv[2]))
    found = WHAT[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({**found, "peak": peak_bytes()}))
