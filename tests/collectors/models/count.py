"""Count the attention in a trace from its raw events, sharing no code with what reads or writes it.

Fused ops are taken by name, the outermost of nested ones. An unfused one is a softmax whose scores
a batched product made and another one takes in, by their recorded shapes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.collectors.models.expect import CHAIN, ENCODER_LAYER, MHA, SDPA, Call

FUSED = {
    "aten::scaled_dot_product_attention": SDPA,
    "aten::_native_multi_head_attention": MHA,
    "aten::_transformer_encoder_layer_fwd": ENCODER_LAYER,
}
PRODUCTS = ("aten::bmm", "aten::baddbmm")
SOFTMAX = "aten::_softmax"


@dataclass(slots=True)
class Event:
    """A complete event of the trace. Times in nanoseconds, `end` not included."""

    name: str
    thread: Any
    start: int
    end: int
    dims: list[Any]
    values: list[Any]
    parent: Event | None = None

    def ancestors(self) -> Iterator[Event]:
        around = self.parent
        while around is not None:
            yield around
            around = around.parent


@dataclass(slots=True)
class Attention:
    """An attention op or chain. Sizes as the op saw them; None where its shapes do not tell."""

    op: str
    first: Event
    last: Event
    rows: int
    """Batch times heads times queries."""
    kv: int
    batch: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    q: int | None = None
    width: int | None = None
    causal: bool | None = None

    def disagreement(self, call: Call) -> str | None:
        """Tell in which size this op is not that call, or None."""
        kv_heads = call.heads if call.kv_heads is None else call.kv_heads
        heads, q = call.heads, call.q
        if self.heads == self.kv_heads != call.heads and call.q == 1:
            # The queries that share a key are given as if they were one head's sequence.
            heads, q = kv_heads, call.heads // kv_heads
        if call.repeated:
            kv_heads = call.heads
        pairs = {
            "op": (self.op, call.op),
            "rows": (self.rows, call.batch * call.heads * call.q),
            "kv": (self.kv, call.kv),
            "batch": (self.batch, call.batch),
            "heads": (self.heads, heads),
            "kv_heads": (self.kv_heads, kv_heads),
            "q": (self.q, q),
            "width": (self.width, call.width),
            "causal": (self.causal, call.causal),
        }
        wrong = [
            f"{name} is {seen}, not {said}"
            for name, (seen, said) in pairs.items()
            if seen is not None and seen != said
        ]
        return "; ".join(wrong) or None


def nested(trace: dict[str, Any]) -> list[Event]:
    """Return the CPU ops and annotations of a trace in order of time, each with its parent."""
    events = [
        Event(
            name=raw["name"],
            thread=raw["tid"],
            start=round(raw["ts"] * 1000),
            end=round(raw["ts"] * 1000) + round(raw["dur"] * 1000),
            dims=raw["args"].get("Input Dims", []),
            values=raw["args"].get("Concrete Inputs", []),
        )
        for raw in trace["traceEvents"]
        if raw.get("ph") == "X" and raw.get("cat") in ("cpu_op", "user_annotation")
    ]
    events.sort(key=lambda event: (event.start, -event.end))
    open_ones: dict[Any, list[Event]] = {}
    for event in events:
        stack = open_ones.setdefault(event.thread, [])
        while stack and stack[-1].end < event.end:
            stack.pop()
        event.parent = stack[-1] if stack else None
        stack.append(event)
    return events


def attention_ops(events: list[Event]) -> list[Attention]:
    """Return every attention computation among nested events, in order of time."""
    loose = [event for event in events if not any(one.name in FUSED for one in event.ancestors())]
    found = [_READERS[event.name](event) for event in loose if event.name in FUSED]
    found += _chains(loose)
    return sorted(found, key=lambda attention: attention.first.start)


def _sdpa(event: Event) -> Attention:
    query, key = event.dims[:2]
    return Attention(
        op=SDPA,
        first=event,
        last=event,
        rows=math.prod(query[:-1]),
        kv=key[-2],
        batch=query[0],
        heads=query[1],
        kv_heads=key[1],
        q=query[2],
        width=query[3],
        causal={"True": True, "False": False}[event.values[5]],
    )


def _mha(event: Event) -> Attention:
    query, key = event.dims[:2]
    heads = int(event.values[4])
    return _whole(event, MHA, query, key[1], heads)


def _encoder_layer(event: Event) -> Attention:
    source = event.dims[0]
    return _whole(event, ENCODER_LAYER, source, source[1], int(event.values[2]))


def _whole(event: Event, op: str, query: list[int], kv: int, heads: int) -> Attention:
    return Attention(
        op=op,
        first=event,
        last=event,
        rows=query[0] * heads * query[1],
        kv=kv,
        batch=query[0],
        heads=heads,
        kv_heads=heads,
        q=query[1],
        width=query[2] // heads,
    )


_READERS = {
    "aten::scaled_dot_product_attention": _sdpa,
    "aten::_native_multi_head_attention": _mha,
    "aten::_transformer_encoder_layer_fwd": _encoder_layer,
}


def _chains(events: list[Event]) -> list[Attention]:
    products = [event for event in events if event.name in PRODUCTS]
    used: set[int] = set()
    chains = []
    for softmax in (event for event in events if event.name == SOFTMAX):
        scores = softmax.dims[0]
        before = [
            one
            for one in products
            if one.end <= softmax.start
            and one.thread == softmax.thread
            and id(one) not in used
            and _makes(one, scores)
        ]
        after = [
            one
            for one in products
            if one.start >= softmax.end and one.thread == softmax.thread and _takes(one, scores)
        ]
        if before and after:
            used |= {id(before[-1]), id(after[0])}
            chains.append(
                Attention(
                    op=CHAIN,
                    first=before[-1],
                    last=after[0],
                    rows=math.prod(scores[:-1]),
                    kv=scores[-1],
                    width=_factors(before[-1])[0][-1],
                )
            )
    return chains


def _factors(product: Event) -> tuple[list[int], list[int]]:
    first = 1 if product.name == "aten::baddbmm" else 0
    left, right = product.dims[first : first + 2]
    return left, right


def _makes(product: Event, scores: list[int]) -> bool:
    (batch, rows, _), (_, _, columns) = _factors(product)
    return columns == scores[-1] and batch * rows * columns == math.prod(scores)


def _takes(product: Event, scores: list[int]) -> bool:
    left, right = _factors(product)
    as_left = left[-1] == scores[-1] and math.prod(left) == math.prod(scores)
    as_right = right[-2] == scores[-1] and math.prod(right) == math.prod(scores)
    return as_left or as_right
