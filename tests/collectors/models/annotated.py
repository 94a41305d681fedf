"""Join the attention of a trace, as counted from its raw events, with what was annotated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genscope.schema import (
    METADATA_KEY,
    AttentionCall,
    ComponentCall,
    Document,
    Site,
    loads,
    parse,
)
from tests.collectors.models.count import Attention, Event, attention_ops, nested
from tests.collectors.models.expect import Call


@dataclass(slots=True)
class Annotated:
    """An attention op, with the annotations that speak of it: exactly one, if all is well."""

    op: Attention
    calls: list[AttentionCall]
    component: ComponentCall | None

    def disagreements(self, document: Document, said: Call) -> Iterator[str]:
        """Tell where the annotation differs from what is expected."""
        if len(self.calls) != 1:
            yield f"{len(self.calls)} annotations"
            return
        [call] = self.calls
        site: Site = document.sites[call.site]
        kv_heads = said.heads if said.kv_heads is None else said.kv_heads
        path = None if site.module is None else document.modules[site.module].path
        if not (path is not None and _is_path(path, said.module)):
            yield f"module {path}, not {said.module}"
        own = None if site.component is None else document.components[site.component].name
        around = self.component and self.component.name
        step = self.component and self.component.step
        pairs: dict[str, tuple[Any, Any]] = {
            "component": (own, said.component),
            "component around it": (around, said.component),
            "kind": (call.kind or site.kind, said.kind),
            "axis": (site.axis, said.axis),
            "batch": (call.batch, said.batch),
            "heads": (site.heads, said.heads),
            "kv_heads": (site.kv_heads, kv_heads),
            "q": (call.q_len, said.q),
            "kv": (call.kv_len, said.kv),
            "width": (site.head_dim, said.width),
        }
        if said.step is not None:
            pairs["step"] = (step, said.step)
        if said.causal is not None:
            pairs["causal"] = (site.causal, said.causal)
        for name, (seen, right) in pairs.items():
            if seen != right:
                yield f"{name} {seen}, not {right}"


def _is_path(path: str, said: str) -> bool:
    """Whether a path ends as it should; libraries change what stands at its beginning."""
    return path == said or path.endswith("." + said)


def document(trace: dict[str, Any]) -> Document:
    return loads(trace[METADATA_KEY])


def join(trace: dict[str, Any]) -> tuple[list[Annotated], int]:
    """Return every attention op with its annotations, and how many annotations there are.

    A range is around its op. A mark comes after the last product of its chain, and before the
    next attention.
    """
    events = nested(trace)
    said = [(event, _attention(event)) for event in events]
    marks = [(event, call) for event, call in said if call is not None and call.chain]
    ops = attention_ops(events)
    joined = []
    for number, op in enumerate(ops):
        following = ops[number + 1].first.start if number + 1 < len(ops) else events[-1].end + 1
        calls = [call for around in op.first.ancestors() if (call := _attention(around))]
        calls += [
            call
            for mark, call in marks
            if op.last.end <= mark.start <= following and mark.thread == op.last.thread
        ]
        joined.append(Annotated(op=op, calls=calls, component=_component(op.first)))
    return joined, sum(call is not None for _, call in said)


def _attention(event: Event) -> AttentionCall | None:
    call = parse(event.name)
    return call if isinstance(call, AttentionCall) else None


def _component(event: Event) -> ComponentCall | None:
    """Return the component that the event runs in, the innermost one."""
    calls = (parse(around.name) for around in event.ancestors())
    return next((call for call in calls if isinstance(call, ComponentCall)), None)
