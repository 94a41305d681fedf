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


def exported(path: Path, name: str, form: str) -> dict[str, float]:
    """Load a trace and export it beside itself."""
    from genscope.perfetto.chrome import export_chrome
    from genscope.perfetto.native import export_perfetto
    from genscope.trace import load

    out = path.with_name(name)
    started = time.process_time()
    trace = load(path)
    loaded = time.process_time()
    write = {"perfetto": export_perfetto, "chrome": export_chrome}[form]
    write(trace, str(out))
    done = time.process_time()
    found = {
        "load": loaded - started,
        "export": done - loaded,
        "total": done - started,
        "rows": len(trace.events),
        "text": trace.text_bytes,
        "size": out.stat().st_size,
    }
    out.unlink()
    return found


WHAT: dict[str, Callable[[Path], dict[str, float]]] = {
    "genscope": genscope,
    "native": lambda path: exported(path, "exported.pftrace", "perfetto"),
    "native-gz": lambda path: exported(path, "exported.pftrace.gz", "perfetto"),
    "chrome": lambda path: exported(path, "exported.json", "chrome"),
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
