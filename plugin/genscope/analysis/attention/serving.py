"""Steps of serving engines, as their annotations name them: how many prompts, how many tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from genscope.trace.model import Int64, Kind, Trace

_SGLANG = re.compile(
    r"step\[(?P<mode>[A-Z_]+)\s+bs=(?P<batch>\d{1,9})(?:\s+toks=(?P<tokens>\d{1,12}))?"
)
_VLLM = re.compile(
    r"execute_(?:model_)?(?:\d{1,9}_)?context_(?P<prefills>\d{1,9})"
    r"(?:\(sq(?P<prefill_tokens>\d{1,12})[^)]{0,200}\))?"
    r"_generation_(?P<decodes>\d{1,9})(?:\(sq(?P<decode_tokens>\d{1,12})[^)]{0,200}\))?"
)

_SGLANG_DECODE = ("DECODE", "TARGET_VERIFY", "DRAFT_EXTEND", "IDLE")
_SGLANG_MIXED = "MIXED"


@dataclass(frozen=True, slots=True)
class ServingStep:
    """What one step of a serving engine ran; None is unknown.

    `prefills` and `decodes` count sequences, -1 where unknown; the tokens are the queries of each.
    """

    row: int
    prefills: int
    decodes: int
    prefill_tokens: int | None
    decode_tokens: int | None
    both: int | None = None
    """Sequences of both phases together, where only those are counted."""
    told: int = -1
    """Row of the annotation that tells this, -1 for `row`."""

    @property
    def phase(self) -> str:
        """prefill, decode, or mixed where the step ran both."""
        if self.both is not None or (self.prefills and self.decodes):
            return "mixed"
        return "prefill" if self.prefills else "decode"

    @property
    def known(self) -> int:
        """How many of its four figures are known."""
        figures = (self.prefills, self.decodes, self.prefill_tokens, self.decode_tokens)
        return sum(figure is not None and figure >= 0 for figure in figures)

    @property
    def reason(self) -> str:
        """The annotation in words."""
        if self.both is not None:
            plural = "" if self.both == 1 else "s"
            return f"the engine's annotation: {self.both:,} sequence{plural} of both phases"
        parts = []
        for count, tokens, word in (
            (self.prefills, self.prefill_tokens, "prompt"),
            (self.decodes, self.decode_tokens, "decoding sequence"),
        ):
            if count:
                plural = "" if count == 1 else "s"
                with_tokens = "" if tokens is None else f" of {tokens:,} tokens"
                parts.append(f"{count:,} {word}{plural}{with_tokens}")
        return "the engine's annotation: " + (" and ".join(parts) or "an idle step")


def read_step(name: str, row: int = -1) -> ServingStep | None:
    """Read an annotation of SGLang or vLLM; None for any other name."""
    text = name[:500]
    if match := _SGLANG.search(text):
        batch = int(match["batch"])
        tokens = int(match["tokens"]) if match["tokens"] else None
        if match["mode"] == _SGLANG_MIXED:
            return ServingStep(row, -1, -1, None, None, both=batch)
        if match["mode"] in _SGLANG_DECODE:
            return ServingStep(row, 0, batch, None, tokens if tokens is not None else batch)
        return ServingStep(row, batch, 0, tokens, None)
    if match := _VLLM.search(text):
        return ServingStep(
            row,
            int(match["prefills"]),
            int(match["decodes"]),
            int(match["prefill_tokens"]) if match["prefill_tokens"] else None,
            int(match["decode_tokens"]) if match["decode_tokens"] else None,
        )
    return None


def serving_steps(trace: Trace) -> list[ServingStep]:
    """Read the annotations of serving engines in a trace, in order of start.

    A step that is annotated twice, one range around the other, is one: as long as the outer, with
    the figures of whichever tells more, the outer where they tell as much.
    """
    events = trace.events
    rows = np.flatnonzero(events.is_kind(Kind.ANNOTATION, Kind.CPU_OP))
    found: list[ServingStep] = []
    inner: list[list[ServingStep]] = []
    reached: dict[int, tuple[int, int]] = {}
    """Of each thread, the end of its last outermost step, and the place of that."""
    for step in _steps(trace, rows):
        track, end = int(events.track[step.row]), int(events.end_ns[step.row])
        until, place = reached.get(track, (-1, -1))
        if end <= until:
            inner[place].append(step)
            continue
        reached[track] = (end, len(found))
        found.append(step)
        inner.append([])
    return [_joined(outer, inside) for outer, inside in zip(found, inner, strict=True)]


def _joined(outer: ServingStep, inside: list[ServingStep]) -> ServingStep:
    """One step of an annotation and those inside it; several inside are parts, not the step."""
    if len(inside) != 1 or inside[0].known <= outer.known:
        return outer
    return replace(inside[0], row=outer.row, told=inside[0].row)


def _steps(trace: Trace, rows: Int64) -> Iterable[ServingStep]:
    names = trace.events.name[rows]
    wanted = [
        index
        for index in np.unique(names).tolist()
        if trace.strings[index].startswith(("step[", "execute_"))
        and read_step(trace.strings[index]) is not None
    ]
    hit = rows[np.isin(names, wanted)]
    order = np.lexsort((-trace.events.end_ns[hit], trace.events.start_ns[hit]))
    for row in hit[order].tolist():
        step = read_step(trace.name_of(row), row)
        if step is not None:
            yield step
