"""The attention calls of a trace: found, measured, and told what they are."""

from __future__ import annotations

from genscope.analysis.attention.annotated import apply_annotations
from genscope.analysis.attention.axes import decide_axes, doubt_axes, grids_of, joint_lengths
from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.find import find
from genscope.analysis.attention.graphs import match_captures
from genscope.analysis.attention.kinds import decide_kinds, inherit
from genscope.analysis.attention.layouts import layouts_of
from genscope.analysis.attention.operands import Marks, find_operands
from genscope.analysis.attention.phases import decide_phases
from genscope.analysis.attention.places import decide_places
from genscope.analysis.classify import Classes, classify
from genscope.trace.model import Trace

__all__ = ["Calls", "attention_calls", "lend_calls"]


def attention_calls(trace: Trace, *, capture: Trace | None = None) -> Calls:
    """Return the attention calls of a trace, of all passes, in order of their start.

    `capture` is a trace of the same work without a CUDA or HIP graph, or of the graph's capture:
    it gives the shapes that a replay hides. The columns are shared by all who ask: leave them as
    they are.
    """
    key = f"attention:{id(capture) if capture is not None else ''}"
    if key not in trace.derived:
        templates = attention_calls(capture) if capture is not None else None
        trace.derived[key] = _calls(trace, classify(trace), templates)
    calls: Calls = trace.derived[key]
    return calls


def lend_calls(trace: Trace, calls: Calls) -> None:
    """Spare a trace the search for its calls: `calls` were found in it when it was read before."""
    trace.derived.setdefault("attention:", calls)


def _calls(trace: Trace, classes: Classes, templates: Calls | None) -> Calls:
    calls = match_captures(trace, find(trace, classes), templates)
    slots = decide_places(trace, calls)
    apply_annotations(trace, calls)
    marks = Marks(trace, calls)
    operands = find_operands(calls, marks)
    grids = grids_of(trace)
    joint = joint_lengths(calls, grids, operands)
    cached = decide_kinds(calls, slots, operands, joint)
    assumed = decide_axes(calls, grids, joint, layouts_of(trace, calls))
    decide_phases(trace, calls, cached, marks)
    doubt_axes(calls, assumed)
    inherit(calls, ("kind", "axis", "component", "module"))
    return calls
