"""When a native trace begins by its own clock, which a `Trace` does not keep."""

from __future__ import annotations

from genscope.trace.errors import TraceError
from genscope.trace.model import Trace
from genscope.trace.native.events import Collected
from genscope.trace.native.packets import Packets
from genscope.trace.source import Limits, Source

_SEARCHED_BYTES = 32 << 20
"""Writers say what their clock means when they begin."""

_EPOCH_NS = 10**18


def clock_start_ns(trace: Trace, *, limits: Limits | None = None) -> int | None:
    """Return the time of the first event as the native trace that was read has it.

    None where the file is not there any more, or does not say it soon.
    """
    limits = limits or Limits()
    found = Collected()
    try:
        source = Source(trace.path, limits=limits)
    except TraceError:
        return None
    try:
        for block in Packets(source, limits):
            if block.offset > _SEARCHED_BYTES:
                break
            found.add(block)
            if found.exported is not None:
                return trace.base_ns - found.exported.base_ns
    except TraceError:
        return None
    finally:
        source.close()
    offset = found.clocks.epoch_offset
    if offset or trace.base_ns < _EPOCH_NS:
        return trace.base_ns - offset
    return None
