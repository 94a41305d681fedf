"""Steps of serving engines, as their annotations name them: how many prompts, how many tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

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

_SGLANG_PREFILL = ("EXTEND", "PREFILL", "MIXED")
_SGLANG_DECODE = ("DECODE", "TARGET_VERIFY", "DRAFT_EXTEND", "IDLE")


@dataclass(frozen=True, slots=True)
class ServingStep:
    """What one step of a serving engine ran; None is unknown.

    `prefills` and `decodes` count sequences, the tokens are the queries of each.
    """

    row: int
    prefills: int
    decodes: int
    prefill_tokens: int | None
    decode_tokens: int | None

    @property
    def phase(self) -> str:
        """prefill, decode, or mixed where the step ran both."""
        if self.prefills and self.decodes:
            return "mixed"
        return "prefill" if self.prefills else "decode"

    @property
    def reason(self) -> str:
        """The annotation in words."""
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
    """Read the annotations of serving engines in a trace, in order of start."""
    events = trace.events
    rows = np.flatnonzero(events.is_kind(Kind.ANNOTATION, Kind.CPU_OP))
    return list(_steps(trace, rows))


def _steps(trace: Trace, rows: Int64) -> Iterable[ServingStep]:
    names = trace.events.name[rows]
    wanted = [
        index
        for index in np.unique(names).tolist()
        if trace.strings[index].startswith(("step[", "execute_"))
        and read_step(trace.strings[index]) is not None
    ]
    hit = rows[np.isin(names, wanted)]
    for row in hit[np.argsort(trace.events.start_ns[hit], kind="stable")].tolist():
        step = read_step(trace.name_of(row), row)
        if step is not None:
            yield step
