"""The roofline of a part of a trace, as though it had run on a device of some name."""

from __future__ import annotations

from genscope.analysis.roofline.devices import known_devices
from genscope.analysis.roofline.results import Roofline
from genscope.analysis.roofline.view import roofline
from genscope.analysis.selection import Selection
from genscope.trace.model import Trace


class OnDevice(Selection, frozen=True, kw_only=True):
    """A part of a trace, and the name of a known device; an empty one is the trace's own."""

    device: str = ""


def roofline_on(trace: Trace, ask: Selection) -> Roofline:
    """Set a part of a trace beside the rates of a device. Raises KeyError for an unknown name."""
    part = Selection(
        components=ask.components,
        passes=ask.passes,
        first_step=ask.first_step,
        last_step=ask.last_step,
    )
    name = ask.device if isinstance(ask, OnDevice) else ""
    known = {one.name: one for one in known_devices()}
    return roofline(trace, part, device=known[name] if name else None)
