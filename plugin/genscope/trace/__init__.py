"""Reading traces: `load` gives the columnar `Trace` that every analysis works on."""

from genscope.trace.errors import TraceError, TraceWarning
from genscope.trace.model import Device, Events, Kind, Links, Trace, Track
from genscope.trace.reader import load
from genscope.trace.source import Limits

__all__ = [
    "Device",
    "Events",
    "Kind",
    "Limits",
    "Links",
    "Trace",
    "TraceError",
    "TraceWarning",
    "Track",
    "load",
]
