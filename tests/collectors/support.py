"""What tests of collectors share: what is in place before and after, and traces as plain JSON."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# The first profiler imports it, and that replaces some functions of torch.
import torch._dynamo  # noqa: F401
from torch import nn
from torch.overrides import _get_current_function_mode_stack
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

State = dict[tuple[Any, ...], Any]

_GLOBAL_HOOKS = (
    ("torch.nn.modules.module", "_global_"),
    ("torch.optim.optimizer", "_global_"),
)
_LIBRARIES = ("torch", "diffusers", "transformers", "tests")


def state_of(*owners: Any) -> State:
    """Return all that a collector could have put somewhere: hooks, functions, attributes, modes.

    `owners` are modules, pipelines and whatever else is given to a collector.
    """
    state: State = {
        ("modes", "function"): [id(mode) for mode in _get_current_function_mode_stack()],
        ("modes", "dispatch"): [id(mode) for mode in _get_current_dispatch_mode_stack()],
    }
    for module, prefix in _GLOBAL_HOOKS:
        for name, value in vars(sys.modules[module]).items():
            if name.startswith(prefix) and isinstance(value, dict):
                state["hooks", name] = list(map(id, value.values()))
    handler = getattr(sys.modules.get("torch._dynamo.callback"), "callback_handler", None)
    if handler is not None:
        state["compile callbacks",] = len(handler.start_callbacks), len(handler.end_callbacks)
    for module_name, module in list(sys.modules.items()):
        if module_name.split(".")[0] in _LIBRARIES:
            for name, value in list(getattr(module, "__dict__", {}).items()):
                if callable(value):
                    state["function", module_name, name] = id(value)
    for number, owner in enumerate(owners):
        state.update(_of_owner(owner, (number, type(owner).__name__)))
    state.update(_of_class(nn.Module))
    return state


def leftovers(before: State, *owners: Any) -> list[str]:
    """Tell how things differ from `before`, what `state_of` gave for the same owners."""
    after = state_of(*owners)
    return [
        f"{' '.join(map(str, place))}: {before.get(place)} -> {after.get(place)}"
        for place in {**before, **after}
        # What was imported or looked up for the first time meanwhile is nobody's leftover.
        if before.get(place) != after.get(place)
        and (place[0] != "function" or (place in before and place in after))
    ]


@contextlib.contextmanager
def nothing_left(*owners: Any) -> Iterator[None]:
    """Check that after the block, left in whatever way, everything is as it was before."""
    before = state_of(*owners)
    try:
        yield
    finally:
        left = leftovers(before, *owners)
        assert not left, "\n".join(left)


def _of_owner(owner: Any, place: tuple[Any, ...]) -> State:
    state = _of_object(owner, place)
    if isinstance(owner, nn.Module):
        for path, module in owner.named_modules():
            state.update(_of_object(module, (*place, path)))
    elif hasattr(owner, "components"):
        for name, value in owner.components.items():
            if value is not None and hasattr(value, "__dict__"):
                state.update(_of_owner(value, (*place, name)))
    return state


def _of_object(value: Any, place: tuple[Any, ...]) -> State:
    state: State = {("class", *place): type(value)}
    if isinstance(value, nn.Module):
        state[("attributes", *place)] = sorted(vars(value))
    for name, held in vars(value).items():
        if name.endswith("_hooks") and isinstance(held, dict):
            state[("hooks", *place, name)] = [*held, *map(id, held.values())]
        elif callable(held) and not isinstance(held, nn.Module):
            state[("attribute", *place, name)] = id(held)
    state.update(_of_class(type(value)))
    return state


def _of_class(kind: type) -> State:
    return {
        ("class", base.__qualname__, name): id(value)
        for base in kind.__mro__
        if base is not object
        for name, value in list(vars(base).items())
        if callable(value)
    }


def record(run: Callable[[], Any], **options: Any) -> dict[str, Any]:
    """Return the Chrome trace of `run`, as the profiler writes it."""
    with profile(activities=[ProfilerActivity.CPU], **options) as profiler:
        run()
    return exported(profiler)


def exported(profiler: Any) -> dict[str, Any]:
    """Return what a profiler has recorded, as Chrome trace."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        profiler.export_chrome_trace(str(path))
        trace: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return trace


def ours(trace: dict[str, Any], kind: str = "") -> list[str]:
    """Return the names of our events in order of time, without `genscope.`; those of one `kind`."""
    found = [
        event
        for event in trace["traceEvents"]
        if event.get("ph") == "X" and str(event["name"]).startswith(f"genscope.{kind}")
    ]
    found.sort(key=lambda event: (event["ts"], -event["dur"]))
    return [event["name"].removeprefix("genscope.") for event in found]


def components(trace: dict[str, Any]) -> list[str]:
    """Return the calls of components, as in `unet step=3`."""
    return [name.split(" ", 1)[1] for name in ours(trace, "component")]


def modules(trace: dict[str, Any]) -> list[str]:
    """Return the paths of the modules that were called."""
    return [name.split(" ", 1)[1] for name in ours(trace, "module")]
