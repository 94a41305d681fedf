"""What another implementation of attention would gain in a run, by times measured elsewhere.

Speedups are carried over, not times: a call takes its recorded time times what the table says of
the other implementation over its own. Nothing here is measured.
"""

from __future__ import annotations

from msgspec.structs import replace

from genscope.analysis.attention.columns import Calls
from genscope.analysis.classify import PASSES
from genscope.analysis.selection import EVERYTHING, Selection
from genscope.analysis.speedup.amdahl import ratio
from genscope.analysis.speedup.groups import known
from genscope.analysis.speedup.results import (
    PredictedRun,
    PredictedShape,
    Prediction,
    Shape,
    Table,
    TableRow,
)
from genscope.analysis.speedup.shapes import distinct_shapes, shape_words
from genscope.analysis.speedup.side import Side, side_of
from genscope.analysis.work import DEVICE
from genscope.trace.errors import TraceWarning
from genscope.trace.model import Trace

NO_TABLE, OTHER_DEVICE = "no_table", "other_device"


def predict(
    trace: Trace, table: Table | None = None, selection: Selection = EVERYTHING
) -> Prediction:
    """Predict a run with each implementation of `table`; without one, only the limit is known."""
    return predicted(side_of(trace, selection), table)


def predicted(side: Side, table: Table | None) -> Prediction:
    """The same for a run that is summed up already."""
    shapes = _shapes(side, table)
    names = dict.fromkeys(name for row in shapes for name in row.speedups)
    runs = [_run(side, name, shapes) for name in names]
    runs.sort(key=lambda run: (run.total_ns, run.implementation))
    share = side.attention_sum_ns / side.sum_ns if side.sum_ns else 0.0
    limit = ratio(side.sum_ns, side.sum_ns - side.attention_sum_ns)
    return Prediction(
        run=side.result(),
        basis=side.basis,
        source=f"{table.source} on {table.device_name or table.device}" if table else None,
        sentence=_sentence(side, share, limit, runs),
        attention_share=share,
        limit_speedup=limit,
        predicted=runs,
        shapes=shapes,
        warnings=[*side.warnings, *_warnings(side, table, shapes)],
    )


def _shapes(side: Side, table: Table | None) -> list[PredictedShape]:
    rows = _Rows(table.rows if table else [])
    calls = side.calls
    found = []
    for shape, places in zip(*distinct_shapes(calls), strict=True):
        at = int(places[0])
        own = calls.text("implementation", at)
        reason: str | None = None
        speedups: dict[str, float] = {}
        if isinstance(shape, str):
            reason = shape
        elif table is not None:
            reason, speedups = _looked_up(rows.find(shape, calls.text("mask", at)), own)
        found.append(
            PredictedShape(
                shape=None if isinstance(shape, str) else shape,
                name=_words(calls, at),
                pass_=PASSES[int(calls.pass_[at])],
                implementation=own,
                calls=len(places),
                time_ns=int(side.attention_ns[places].sum()),
                speedups=speedups,
                reason=reason,
            )
        )
    return sorted(found, key=lambda row: -row.time_ns)


class _Rows:
    """The rows of a table by shape."""

    def __init__(self, rows: list[TableRow]) -> None:
        self._exact = {row.shape: row for row in rows}
        self._unmasked: dict[Shape, list[TableRow]] = {}
        for row in rows:
            self._unmasked.setdefault(_unmasked(row.shape), []).append(row)

    def find(self, shape: Shape, mask: str | None) -> TableRow | None:
        """The row of a shape; where nothing tells the mask, the only one of these lengths."""
        row = self._exact.get(shape)
        if row is None and mask is None:
            near = self._unmasked.get(_unmasked(shape), [])
            row = near[0] if len(near) == 1 else None
        return row


def _unmasked(shape: Shape) -> Shape:
    return replace(shape, mask="none", causal=False)


def _looked_up(row: TableRow | None, own: str | None) -> tuple[str | None, dict[str, float]]:
    """Why a table tells nothing of a shape, or the speedups over its own implementation."""
    if row is None:
        return "the table does not have this shape", {}
    medians = {one.implementation: one.median_ns for one in row.timings if one.median_ns > 0}
    if own not in medians:
        return f"the table has no time for {own or 'its implementation'} at this shape", {}
    return None, {name: medians[own] / median for name, median in medians.items()}


def _words(calls: Calls, at: int) -> str:
    sizes = {
        name: known(int(calls.sizes[name][at]))
        for name in ("batch", "heads", "kv_heads", "q_len", "kv_len", "head_dim")
    }
    return shape_words(**sizes, causal=int(calls.causal[at]) > 0)


def _run(side: Side, name: str, shapes: list[PredictedShape]) -> PredictedRun:
    told = [row for row in shapes if name in row.speedups]
    saved = sum(row.time_ns - round(row.time_ns / row.speedups[name]) for row in told)
    total = side.sum_ns - saved
    attention = side.attention_sum_ns
    covered = sum(row.time_ns for row in told)
    return PredictedRun(
        implementation=name,
        attention_ns=attention - saved,
        total_ns=total,
        speedup=ratio(side.sum_ns, total),
        module_speedup=ratio(attention, attention - saved),
        covered_share=covered / attention if attention else 0.0,
        calls=sum(row.calls for row in told),
    )


def _warnings(side: Side, table: Table | None, shapes: list[PredictedShape]) -> list[TraceWarning]:
    if table is None:
        return [
            TraceWarning(
                code=NO_TABLE,
                count=1,
                message="One run alone tells the limit: give a baseline to compare with "
                "(--against), or a table of speedups (--table) that `genscope replay` measures.",
            )
        ]
    found = [*table.warnings]
    if not is_of_device(side, table):
        found.append(
            TraceWarning(
                code=OTHER_DEVICE,
                count=1,
                message=f"The table was measured on {table.device_name or table.device}, the run "
                f"is from {', '.join(sorted({*side.devices}))}: speedups differ between devices.",
            )
        )
    missing = [row for row in shapes if row.reason is not None]
    if missing:
        count = sum(row.calls for row in missing)
        found.append(
            TraceWarning(
                code="not_predicted",
                count=count,
                message=f"{count:,} of {len(side.calls):,} calls count as they are: "
                + "; ".join(sorted({row.reason or "" for row in missing}))
                + ".",
            )
        )
    return found


def is_of_device(side: Side, table: Table) -> bool:
    """Whether a run is from the device that a table was measured on, as far as names tell."""
    on_device = side.basis == DEVICE
    if on_device != (table.device != "cpu"):
        return False
    return not on_device or not table.device_name or table.device_name in side.devices


def _sentence(side: Side, share: float, limit: float | None, runs: list[PredictedRun]) -> str:
    what = "device time" if side.basis == DEVICE else "CPU self time"
    most = f"{limit:.2f}x" if limit is not None else "nothing is left"
    text = f"Attention takes {100 * share:.0f} % of {what}; if it cost nothing: {most}"
    other = [run for run in runs if run.speedup is not None and run.speedup > 1]
    if other:
        best = other[0]
        text += (
            f"; with {best.implementation} attention {best.speedup:.2f}x is predicted "
            f"(for {100 * best.covered_share:.0f} % of attention time)"
        )
    return text + "."
