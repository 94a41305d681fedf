"""Attention calls of one shape put together, with the score matrices that each has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from genscope.analysis.attention.columns import Calls, alike
from genscope.analysis.attention.phases import DECODE
from genscope.analysis.attention.where import FORWARD_PASSES, in_passes
from genscope.analysis.flops.inputs import DTYPES, WIDTHS
from genscope.analysis.memory import paper
from genscope.analysis.memory.results import PaperParameters, Stage
from genscope.analysis.memory.runs import MOST_PAIRS, Runs, sized
from genscope.analysis.memory.scores import Scores
from genscope.analysis.speedup.side import UNFUSED
from genscope.trace.model import NONE, Bool, Int64

FUSED = ("flash", "flash3", "efficient", "cudnn", "flex", "sage", "paged")
"""Implementations that never write a score matrix."""

MOST_BYTES = 2.0**50
"""Of one call; the sums of some thousands of them still fit."""

LOG_SUM_EXP = 4
"""Bytes that fused attention keeps of a query and head."""

WIDTH: Mapping[str, int] = {
    **{name: WIDTHS[recorded] for recorded, name in DTYPES.items()},
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2fnuz": 1,
    "float8": 1,
}
"""Bytes of a number by its dtype, as torch spells it."""

_TEXTS = ("component", "phase", "kind", "axis", "dtype")
_SIZES = ("batch", "heads", "q_len")


@dataclass(frozen=True, slots=True)
class Matrices:
    """Score matrices of every call of a trace; arrays of shape (c,), -1 where unknown."""

    one_head: Int64
    """q_len · kv_len."""
    count: Int64
    """Matrices a call has: batch · heads."""
    width: Int64
    real: Int64
    """Bytes with heads, batch and dtype."""
    kept: Int64
    """Bytes of the log-sum-exp."""
    fused: Bool
    unfused: Bool


def matrices_of(calls: Calls, scores: Scores) -> Matrices:
    """Sizes of the score matrices of calls, from their lengths, heads and dtype."""
    q, kv = calls.sizes["q_len"], calls.sizes["kv_len"]
    known = sized(calls)
    one_head = np.where(known, q * kv, NONE)
    batch, heads = calls.sizes["batch"], calls.sizes["heads"]
    told = (batch > 0) & (heads > 0) & (batch.astype(np.float64) * heads < MOST_PAIRS)
    count = np.where(told, batch * heads, NONE)
    # A chain that sees batch and heads as one dimension still shows all its scores.
    seen = (count == NONE) & (scores.product_elements > 0) & (one_head > 0)
    whole = np.where(seen, scores.product_elements // np.maximum(one_head, 1), NONE)
    even = seen & (whole * one_head == scores.product_elements)
    count = np.where(even, whole, count)
    widths = np.array([WIDTH.get(word, NONE) for word in calls.words.listed] + [NONE])
    width = widths[calls.texts["dtype"]].astype(np.int64)
    fits = one_head.astype(np.float64) * count * width < MOST_BYTES
    told = known & (count > 0) & (width > 0) & fits
    queries = q.astype(np.float64) * count * LOG_SUM_EXP < MOST_BYTES
    implementation = calls.texts["implementation"]
    fused = np.isin(implementation, [calls.words.find(name) for name in FUSED])
    unfused = np.isin(implementation, [calls.words.find(name) for name in UNFUSED])
    unfused |= ~fused & (scores.softmax_bytes >= 0)
    return Matrices(
        one_head=one_head.astype(np.int64),
        count=count.astype(np.int64),
        width=width,
        real=np.where(told, one_head * count * width, NONE).astype(np.int64),
        kept=np.where(known & (count > 0) & queries, q * count * LOG_SUM_EXP, NONE).astype(
            np.int64
        ),
        fused=fused,
        unfused=unfused,
    )


@dataclass(slots=True)
class Grouped:
    """The stages of a trace, and the calls of a step that their sums are of."""

    stages: list[Stage]
    steps_differ: bool


def stages_of(calls: Calls, runs: Runs | None, scores: Scores, matrices: Matrices) -> Grouped:
    """Group the forward calls of known lengths; sums are of one step of the denoiser."""
    places = np.flatnonzero(in_passes(calls, FORWARD_PASSES) & (matrices.one_head >= 0))
    if not len(places):
        return Grouped([], False)
    mine = np.zeros(len(calls), dtype=np.bool_)
    in_step = np.ones(len(calls), dtype=np.bool_)
    if runs is not None:
        mine[runs.places] = True
    grows = calls.is_word("phase", DECODE)
    keys: list[npt.NDArray[np.integer[Any]]] = [
        *(calls.texts[name] for name in _TEXTS),
        *(calls.sizes[name] for name in _SIZES),
        np.where(grows, NONE, calls.sizes["kv_len"]),
        mine.astype(np.int64),
    ]
    first, group = alike([key[places] for key in keys])
    differ = False
    if runs is not None:
        chosen, differ = _typical(runs, group[np.searchsorted(places, runs.places)])
        in_step[runs.places] = runs.run == chosen
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(len(first) + 1))
    stages = []
    for number in range(len(first)):
        members = places[order[bounds[number] : bounds[number + 1]]]
        stages.append(
            _stage(
                calls, scores, matrices, members, members[in_step[members]], bool(mine[members[0]])
            )
        )
    return Grouped(sorted(stages, key=_by_size), differ)


def _by_size(stage: Stage) -> tuple[bool, int, bool, int, str]:
    size = -stage.q_len if stage.denoiser else -stage.one_head_call_bytes
    crossed = stage.denoiser and stage.kind == "cross"
    return not stage.denoiser, size, crossed, -stage.one_head_bytes, stage.component or ""


def _typical(runs: Runs, group: Int64) -> tuple[int, bool]:
    """The first run that makes the calls which most runs make, and whether any makes others."""
    inside = runs.run >= 0
    kinds, which = np.unique(group[inside], return_inverse=True)
    made = np.zeros((runs.count, len(kinds)), dtype=np.int64)
    np.add.at(made, (runs.run[inside], which.reshape(-1)), 1)
    _, first, count = np.unique(made, axis=0, return_index=True, return_counts=True)
    # Of equally common ones that with most calls: a run that was cut off has fewer.
    best = max(range(len(first)), key=lambda at: (count[at], made[first[at]].sum()))
    return int(first[best]), len(first) > 1


def _stage(
    calls: Calls,
    scores: Scores,
    matrices: Matrices,
    members: Int64,
    step: Int64,
    denoiser: bool,
) -> Stage:
    """Sum up the calls `members` of a stage, and those of them that are in the chosen step."""
    at = int(members[0])
    kv = calls.sizes["kv_len"][members]
    names, counts = np.unique(calls.texts["implementation"][members], return_counts=True)
    fused, unfused = matrices.fused[members], matrices.unfused[members]
    shown = scores.softmax_bytes[step] >= 0
    made = scores.product_bytes[step]
    dtypes = {scores.softmax_dtype[place] for place in step[shown].tolist()}
    measured = scores.allocated_bytes[members]
    return Stage(
        component=calls.text("component", at),
        phase=calls.text("phase", at),
        kind=calls.text("kind", at),
        axis=calls.text("axis", at),
        dtype=calls.text("dtype", at),
        implementations={
            calls.words.text(int(name)) or "unknown": int(count)
            for name, count in zip(names.tolist(), counts.tolist(), strict=True)
        },
        fused=True if fused.all() else False if unfused.all() else None,
        denoiser=denoiser,
        level=None,
        batch=_known(int(calls.sizes["batch"][at])),
        heads=_known(int(calls.sizes["heads"][at])),
        matrices=_known(int(matrices.count[at])),
        q_len=int(calls.sizes["q_len"][at]),
        kv_len=int(kv.max()),
        kv_len_least=int(kv.min()),
        calls=len(members),
        calls_per_step=len(step),
        paper_calls=None,
        paper_bytes=None,
        one_head_call_bytes=paper.BYTES * int(matrices.one_head[members].max()),
        one_head_bytes=paper.BYTES * int(matrices.one_head[step].sum()),
        real_call_bytes=_all(matrices.real[members], np.max),
        real_bytes=_all(matrices.real[step], np.sum),
        recorded_calls=int(shown.sum()),
        product_bytes=int(made[made >= 0].sum()) if (made >= 0).any() else None,
        softmax_bytes=int(scores.softmax_bytes[step][shown].sum()) if shown.any() else None,
        recorded_dtype=dtypes.pop() if len(dtypes) == 1 else None,
        measured_largest_bytes=_all(scores.block_bytes[members], np.max),
        measured_call_peak_bytes=_all(scores.peak_bytes[members], np.max),
        measured_bytes=int(scores.allocated_bytes[step].sum()) if (measured >= 0).all() else None,
        kept_bytes=_all(matrices.kept[step], np.sum),
    )


def _all(values: Int64, of: Callable[[Int64], np.int64]) -> int | None:
    """`of` the values, shape (k,); None where one of them is unknown."""
    return int(of(values)) if len(values) and (values >= 0).all() else None


def _known(value: int) -> int | None:
    return None if value < 0 else value


def unet_of(stages: list[Stage]) -> paper.Unet:
    """Lengths of the denoiser's attention among positions, and the text's keys."""
    own = [stage for stage in stages if stage.denoiser]
    lengths = {s.q_len for s in own if s.axis == "spatial" and _of_positions(s)}
    text = [s.kv_len for s in own if s.kind == "cross" and s.axis != "temporal"]
    # A text's keys can stand behind those of the positions, in one matrix.
    text += [s.kv_len - s.q_len for s in own if s.kind == "joint" and _of_positions(s)]
    return paper.Unet(tuple(sorted(lengths, reverse=True)), max(text, default=0))


def _of_positions(stage: Stage) -> bool:
    """Whether the queries are the positions of an image, and nothing else."""
    return stage.kind == "self" or (stage.kind == "joint" and stage.kv_len > stage.q_len)


def set_levels(stages: list[Stage], unet: paper.Unet, found: PaperParameters) -> None:
    """Give each stage of the denoiser its part of the paper's formula."""
    seen: set[tuple[int, str | None]] = set()
    for stage in stages:
        if not stage.denoiser or stage.q_len not in unet.lengths:
            continue
        if stage.axis == "temporal" or not (stage.kind == "cross" or _of_positions(stage)):
            continue
        level = unet.lengths.index(stage.q_len)
        stage.level = level
        if (level, stage.kind) in seen:
            continue
        # A second stage of that length and kind has no term of its own in the formula.
        seen.add((level, stage.kind))
        size = paper.area(found.positions, found.d, level)
        keys = {"self": size, "cross": Fraction(found.text_tokens)}
        stage.paper_calls = paper.calls_at(level, found.depth)
        stage.paper_bytes = int(
            paper.BYTES * stage.paper_calls * size * keys.get(stage.kind or "", sum(keys.values()))
        )
