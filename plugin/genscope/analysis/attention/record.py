"""What the attention views need of a trace, small enough to be kept when the trace is not."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from genscope.analysis.attention import attention_calls
from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.where import Where, chosen, steps_of_calls
from genscope.analysis.classify import ATTENTION, classify
from genscope.analysis.flops.calls import CallWork, work_of_calls
from genscope.analysis.steps import missing_steps, steps_of
from genscope.analysis.work import CPU_SELF, file_name, gather, work_warnings
from genscope.trace.errors import TraceWarning
from genscope.trace.model import Int64, Trace

CPU = "cpu"


@dataclass(frozen=True, slots=True)
class Record:
    """The attention calls of a trace, of all passes, with what the views say besides."""

    trace: str
    base_ns: str
    rank: int | None
    basis: str
    """`device` where any device event is, else `cpu`."""
    category_ns: int
    """Time of the category Attention, on the basis of the operator view."""
    frames: int | None
    """Frames of the video, as annotated."""
    calls: Calls
    work: CallWork
    steps: Int64
    """Place of the step of each call, shape (c,), -1 for none."""
    step_count: int
    trace_warnings: list[TraceWarning]
    work_warnings: list[TraceWarning]

    @property
    def size_bytes(self) -> int:
        """Memory that the columns take."""
        columns = [getattr(self.calls, field.name) for field in fields(self.calls)]
        columns += [self.steps, *self.calls.sizes.values(), *self.calls.texts.values()]
        arrays = sum(column.nbytes for column in columns if isinstance(column, np.ndarray))
        return arrays + self.work.size_bytes

    def places(self, where: Where) -> Int64:
        """Places of the calls that `where` takes, in order of start."""
        return chosen(self.calls, where, self.steps)

    def warnings(self, where: Where) -> list[TraceWarning]:
        """What there is to know of the trace, and of the steps that it lacks."""
        return [*self.trace_warnings, *missing_steps(self.step_count, where)]


def record_of(trace: Trace, *, capture: Trace | None = None) -> Record:
    """Find the attention calls of a trace; `capture` as in `attention_calls`."""
    classes = classify(trace)
    calls = attention_calls(trace, capture=capture)
    work = gather(trace, classes)
    of_rule = np.array([rule.category == ATTENTION for rule in classes.rules] + [False])
    return Record(
        trace=file_name(trace),
        base_ns=str(trace.base_ns),
        rank=trace.rank,
        basis=CPU if work.basis == CPU_SELF else work.basis,
        category_ns=int(work.time_ns[of_rule[classes.rule[work.rows]]].sum()),
        frames=trace.document.workload.frames if trace.document is not None else None,
        calls=calls,
        work=work_of_calls(trace, calls),
        steps=steps_of_calls(trace, calls),
        step_count=len(steps_of(trace)),
        trace_warnings=list(trace.warnings),
        work_warnings=work_warnings(trace, work),
    )
