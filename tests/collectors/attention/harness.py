"""Runs a model with attention captured, as the annotating context manager does it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch._dynamo
from torch import nn
from torch.profiler import ProfilerActivity, profile

from genscope.collect.attention import Capture
from genscope.collect.context import Context, Frame
from genscope.collect.registry import Registry
from genscope.schema import AttentionCall, Site, parse

SEALED = (nn.MultiheadAttention, nn.TransformerEncoder, nn.TransformerEncoderLayer)


@dataclass(frozen=True)
class Call:
    """An annotated call: its site and what its event says."""

    site: Site
    event: AttentionCall
    path: str

    @property
    def lengths(self) -> tuple[int | None, ...]:
        return (
            self.event.batch,
            self.site.heads,
            self.site.kv_heads,
            self.event.q_len,
            self.event.kv_len,
        )

    @property
    def what(self) -> tuple[str | None, str | None]:
        return self.site.kind, self.site.axis


class Calls(list[Call]):
    """What `recorded` yields."""

    operators: list[str]


class Session:
    """Frames for the modules of some models, and the capture under test."""

    def __init__(self, **roots: nn.Module) -> None:
        self.registry = Registry()
        self.context = Context()
        self.capture = Capture(self.registry, self.context)
        self._roots = roots
        self._handles: list[Any] = []

    def __enter__(self) -> Session:
        for name, root in self._roots.items():
            self._attach(name, root)
        self.capture.install()
        return self

    def __exit__(self, *_: object) -> None:
        self.capture.uninstall()
        for handle in self._handles:
            handle.remove()

    def _attach(self, name: str, root: nn.Module) -> None:
        component = self.registry.component(name)

        def visit(module: nn.Module, path: str) -> None:
            if path and not any(module.children()):
                return
            if path and isinstance(module, SEALED):
                return
            number = self.registry.module(component, path, type(module).__name__)

            def before(_: nn.Module, args: Any, kwargs: Any) -> None:
                outermost = not self.context.frames
                self.context.frames.append(Frame(component, number, path))
                if outermost:
                    self.capture.enter_root(root, args, kwargs)

            def after(*_: Any) -> None:
                if len(self.context.frames) == 1:
                    self.capture.leave_root(root)
                self.context.frames.pop()

            self._handles += [
                module.register_forward_pre_hook(before, with_kwargs=True, prepend=True),
                module.register_forward_hook(after, always_call=True),
            ]
            for child, inner in module.named_children():
                if _is_compiled(inner):
                    continue
                visit(inner, f"{path}.{child}".lstrip("."))

        if isinstance(root, SEALED):
            return
        visit(root, "")

    def method(self, name: str, root: nn.Module, run: Callable[[], Any], *args: Any) -> Any:
        """Call a model through one of its methods."""
        component = self.registry.component(name)
        self.context.frames.append(Frame(component, None, ""))
        self.capture.enter_root(root, args, {})
        try:
            return run()
        finally:
            self.capture.leave_root(root)
            self.context.frames.pop()


@contextlib.contextmanager
def recorded(session: Session) -> Iterator[Calls]:
    """Yield a list that holds all annotated calls after the block, in order."""
    found = Calls()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        yield found
    document = session.registry.document()
    events = sorted(profiler.events(), key=lambda event: event.time_range.start)
    found.operators = [event.name for event in events]
    for event in events:
        call = parse(event.name)
        if isinstance(call, AttentionCall):
            site = document.sites[call.site]
            path = document.modules[site.module].path if site.module is not None else ""
            found.append(Call(site, call, path))


def _is_compiled(module: nn.Module) -> bool:
    wrapped = isinstance(module, torch._dynamo.eval_frame.OptimizedModule)
    return wrapped or module._compiled_call_impl is not None


def run(call: Callable[[], Any], **roots: nn.Module) -> Calls:
    """Record one call and return its attention."""
    with Session(**roots) as session, recorded(session) as found:
        call()
    assert not session.capture.failed
    return found


def same(first: Any, second: Any) -> bool:
    """Tell whether two results are equal to the last bit."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)
