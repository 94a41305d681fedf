"""The paper's formula, the calls that were made, and what was recorded: one step side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from genscope.analysis.attention.phases import DECODE, PARALLEL, PREFILL
from genscope.analysis.memory import paper
from genscope.analysis.memory.results import PaperParameters, Similarity, Stage
from genscope.analysis.memory.runs import NO_DENOISER, Runs
from genscope.analysis.memory.words import counted, size

_NOT_A_UNET = "The paper's formula does not apply: {reason}"


def similarity_of(
    stages: Sequence[Stage], runs: Runs | None, found: PaperParameters | str, *, differ: bool
) -> Similarity:
    """Add up the stages of the denoiser; `found` is what the formula takes, or why it does not."""
    if runs is None:
        return _nothing(stages)
    own = [stage for stage in stages if stage.denoiser]
    applies = isinstance(found, PaperParameters)
    formula = call = None
    if isinstance(found, PaperParameters):
        call = paper.call_bytes(found.positions, found.text_tokens)
        formula = paper.unet_bytes(found.positions, found.text_tokens, found.depth, found.d)
    one_head = sum(stage.one_head_bytes for stage in own)
    real = _sum(own, lambda stage: stage.real_bytes)
    largest = [stage.real_call_bytes for stage in own if stage.real_call_bytes is not None]
    shown = [stage.softmax_bytes for stage in own if stage.softmax_bytes is not None]
    result = Similarity(
        component=runs.component,
        steps=runs.count,
        steps_differ=differ,
        step_reason=runs.reason,
        other_components=runs.others,
        reason=None,
        parameters=found if isinstance(found, PaperParameters) else None,
        paper_reason=None if applies else str(found),
        paper_call_bytes=call,
        paper_bytes=formula,
        one_head_bytes=one_head,
        one_head_over_paper=one_head / formula if formula else None,
        real_bytes=real,
        real_over_paper=real / formula if formula and real is not None else None,
        largest_bytes=max(largest, default=None),
        recorded_bytes=sum(shown) if shown else None,
        measured_bytes=_sum(own, lambda stage: stage.measured_bytes),
        sentence="",
    )
    result.sentence = _sentence(result, own)
    return result


def _sum(stages: Sequence[Stage], of: Callable[[Stage], int | None]) -> int | None:
    values = [of(stage) for stage in stages]
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) and values else None


def _nothing(stages: Sequence[Stage]) -> Similarity:
    phases = {stage.phase for stage in stages}
    reason = NO_DENOISER
    if not stages:
        reason = "the trace has no attention calls of known lengths"
    elif DECODE not in phases and PREFILL in phases:
        reason = (
            "it reads a prompt: the paper's formula is of a UNet, whose lengths follow from the "
            "image; here they are those of the prompt, in every layer"
        )
    elif DECODE in phases:
        reason = (
            "it makes one token after the other: the paper's formula is of a UNet, whose lengths "
            "follow from the image; a decoder's grow with its tokens, a row of a matrix for each"
        )
    elif PARALLEL in phases:
        reason = (
            "it makes its tokens in parallel: the paper's formula is of a UNet, whose lengths "
            "shrink from stage to stage; these are the same in every layer and round"
        )
    return Similarity(
        component=None,
        steps=0,
        steps_differ=False,
        step_reason=None,
        reason=reason,
        parameters=None,
        paper_reason=reason,
        paper_call_bytes=None,
        paper_bytes=None,
        one_head_bytes=None,
        one_head_over_paper=None,
        real_bytes=None,
        real_over_paper=None,
        largest_bytes=None,
        recorded_bytes=None,
        measured_bytes=None,
        sentence=f"No sum over the steps of a denoiser: {reason}.",
    )


def _sentence(result: Similarity, own: Sequence[Stage]) -> str:
    made = f"One step of {result.component or 'the denoiser'} makes score matrices of "
    made += f"{counted(result.one_head_bytes)} for one head and sequence at 2 bytes a number"
    if result.real_bytes is not None:
        made += f", {size(result.real_bytes)} with its heads, batch and dtype"
    if result.parameters is None or result.one_head_over_paper is None:
        return f"{made}. " + _NOT_A_UNET.format(reason=result.paper_reason) + "."
    ratio = result.one_head_over_paper
    text = f"{made}; the paper's formula gives {counted(result.paper_bytes)}."
    if ratio == 1:
        return f"{text} They are equal."
    text += f" That is {ratio:.4f} times the formula"
    why = _why(result, own)
    return f"{text}: {why}." if why else f"{text}."


def _why(result: Similarity, own: Sequence[Stage]) -> str:
    """What differs from the formula: how often each stage calls, and calls that it lacks."""
    levels: dict[int, Counter[str]] = {}
    outside = 0
    for stage in own:
        if stage.level is None:
            outside += stage.calls_per_step
        else:
            levels.setdefault(stage.level, Counter())[stage.kind or ""] += stage.calls_per_step
    depth = result.parameters.depth if result.parameters else 0
    upper = {tuple(sorted(levels[level].items())) for level in levels if level < depth}
    parts = []
    each = _each(dict(next(iter(upper)))) if len(upper) == 1 else ""
    deepest = _each(dict(levels.get(depth, {})))
    if each and deepest:
        parts.append(
            f"it assumes two calls of each kind a stage and one in the deepest, and {each} are "
            f"made, {deepest} in the deepest"
        )
    elif levels:
        listed = ", ".join(
            f"{_each(dict(levels[level]))} at stage {level}" for level in sorted(levels)
        )
        parts.append(
            "it assumes two calls of each kind a stage and one in the deepest, and made are "
            f"{listed}"
        )
    if outside:
        parts.append(f"{outside} calls a step are of no stage that it knows")
    return "; ".join(parts)


def _each(calls: dict[str, int]) -> str:
    """Calls of a stage in words: `5`, or `10 self and 5 cross`."""
    if not calls:
        return ""
    if len(set(calls.values())) == 1:
        return str(next(iter(calls.values())))
    return " and ".join(f"{count} {kind}" for kind, count in sorted(calls.items(), reverse=True))
