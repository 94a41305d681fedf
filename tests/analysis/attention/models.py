"""Real tiny models, recorded with and without annotations, beside what was written by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from genscope.analysis.attention import Calls, attention_calls
from genscope.collect.annotate import annotate
from genscope.trace import load
from tests.collectors.models.cases import CASES
from tests.collectors.models.expect import Call

PLAIN, ANNOTATED = "plain", "annotated"

Fields = dict[str, object]


@cache
def recorded(name: str) -> dict[str, Calls]:
    """Run a model twice and return its attention calls from the plain and the annotated trace."""
    built = CASES[name].build()
    return {
        PLAIN: calls_of(built.run),
        ANNOTATED: calls_of(built.run, lambda: annotate(built.target, components=built.components)),
    }


def calls_of(
    run: Callable[[], object],
    around: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Calls:
    """Profile a call on the CPU, with shapes and nothing else, and find its attention calls."""
    with (
        torch.inference_mode(),
        profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler,
        around(),
    ):
        run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        profiler.export_chrome_trace(str(path))
        return attention_calls(load(path))


def found(calls: Calls, place: int) -> Fields:
    """What the analysis says of a call; None is unknown."""
    sizes = {name: int(column[place]) for name, column in calls.sizes.items()}
    fields: Fields = {name: value if value >= 0 else None for name, value in sizes.items()}
    causal, step = int(calls.causal[place]), int(calls.step[place])
    return {
        **fields,
        "causal": bool(causal) if causal >= 0 else None,
        "step": step if step >= 0 else None,
        **{name: calls.text(name, place) for name in calls.texts},
    }


def said(name: str, call: Call) -> Fields:
    """What is right by hand, of what a trace without annotations can tell."""
    return {
        "batch": call.batch,
        "heads": call.heads,
        "kv_heads": call.heads if call.kv_heads is None else call.kv_heads,
        "q_len": call.q,
        "kv_len": call.kv,
        "q_tokens": call.batch * call.q,
        "head_dim": call.width,
        "v_head_dim": call.width,
        "causal": call.causal,
        "kind": call.kind,
        "axis": call.axis,
        "phase": phase(name, call),
    }


_DENOISERS = ("unet", "super_resolution_1", "transformer")
_GENERATORS = ("llama", "decoder")
_PROMPTS = ("transformer_decoder_layer", "multi_query_einsum")
"""Decoders that read a whole sequence once, masking what is to come."""


def phase(name: str, call: Call) -> str:
    """Return the phase of a call of a model of the matrix."""
    if call.component in _GENERATORS:
        return "decode" if call.step else "prefill"
    if call.component in _DENOISERS:
        # aMUSEd's transformer predicts masked tokens, all at once.
        return "parallel_decode" if name == "amused" else "denoise"
    return "prefill" if name in _PROMPTS else "encode"


def differences(right: Fields, calls: Calls, place: int) -> Iterator[str]:
    """Tell in which fields a call differs from what is right."""
    seen = found(calls, place)
    for name, value in right.items():
        if seen[name] != value:
            yield f"{name} {seen[name]}, not {value}"
