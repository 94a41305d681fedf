"""A trace as a native Perfetto trace; see the package for how it is laid out."""

from __future__ import annotations

from genscope.perfetto.output import scratch, whole
from genscope.perfetto.results import Exported
from genscope.perfetto.section import Place, Section
from genscope.trace.model import Trace
from genscope.trace.plan.chrome import written_out
from genscope.trace.source import Limits, Progress


def export_perfetto(
    trace: Trace, path: str, *, limits: Limits | None = None, progress: Progress | None = None
) -> Exported:
    """Write `trace` to `path`, as gzip where that ends in .gz.

    The file that the trace was read from is read once more; `progress` is told of that as `load`
    tells it. Raises TraceError where it is not there any more or changed, OSError where the trace
    cannot be written.
    """
    with written_out(trace) as source, scratch(path) as texts, scratch(path) as arguments:
        section = Section(source, Place(), texts, arguments)
        section.read(limits, progress)
        with whole(path) as out:
            section.write(out)
        return section.exported(path)
