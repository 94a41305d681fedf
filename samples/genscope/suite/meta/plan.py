"""What `genscope plan` asks for: a model of the suite or a function of the user's, on meta.

A function of the user's is called without arguments under the device `meta` and the dtype asked
for. It returns a module or pipeline and a function that runs it; what that returns is not looked
at. It may not load weights or need what is in them (a text to print, a size that results decide).
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from genscope.schema import METADATA_KEY, Workload, dumps
from genscope.suite.meta.run import NotPlannedError, recorded
from genscope.suite.models.base import Scale, Task
from genscope.suite.registry import NAMES, load
from genscope.trace import load as load_trace
from genscope.trace.plan.document import Held, Plan
from genscope.trace.plan.fold import fold

_USUAL = Task()


@dataclass(frozen=True, slots=True)
class Asked:
    """What shall be planned."""

    what: str
    """A model of the suite, or `path.py:function`, or `module:function`."""
    scale: Scale = "paper"
    attention: str = "flash"
    device: str = "cuda"
    """Type of the device that is meant: cpu or cuda."""
    device_name: str = ""
    dtype: str = "bfloat16"
    task: Task = _USUAL
    """Fields that differ from the usual task."""
    every_call: bool = False


def asked(task: dict[str, int], **options: Any) -> Asked:
    """What is asked for, with the fields of the task by name."""
    return Asked(task=Task(**task), **options)


@dataclass(frozen=True, slots=True)
class _Run:
    target: Any
    run: Callable[[], Any]
    components: dict[str, nn.Module]
    workload: Workload


def plan(asked: Asked) -> Plan:
    """Follow a run without values; the plan that is returned has no times yet.

    Raises:
        NotPlannedError: It cannot be followed; the text says why.
    """
    dtype = getattr(torch, asked.dtype, None)
    if not isinstance(dtype, torch.dtype):
        raise NotPlannedError(f"there is no dtype {asked.dtype!r}")
    made = _of_suite(asked, dtype) if asked.what in NAMES else _of_script(asked, dtype)
    with recorded(
        made.target,
        made.run,
        components=made.components,
        attention=asked.attention,
        device=asked.device,
        workload=made.workload,
        every_call=asked.every_call,
    ) as found:
        trace = load_trace(found.path)
    document = trace.document
    metadata = {}
    if document is not None:
        components = tuple(replace(one, device=asked.device_name) for one in document.components)
        workload = replace(document.workload, device=asked.device_name, attention=asked.attention)
        document = replace(document, components=components, workload=workload)
        metadata[METADATA_KEY] = dumps(document)
    return fold(
        trace,
        Plan(
            device=asked.device_name,
            on_cpu=asked.device == "cpu",
            attention=asked.attention,
            dtype=asked.dtype,
            assumed="",
            metadata=metadata,
            held=[
                Held(component=name, parameters=found.parameters[name], weight_bytes=size)
                for name, size in found.weights.items()
            ],
            activation_bytes=found.activation_bytes,
            calls_made=found.calls_made,
            calls_left_out=found.calls_left_out,
            guesses=dict(found.guesses),
        ),
    )


def _of_suite(asked: Asked, dtype: torch.dtype) -> _Run:
    model = load(asked.what)
    task = model.tasks[asked.scale].with_options(asked.task)
    try:
        model.check(asked.scale, task)
    except ValueError as error:
        raise NotPlannedError(f"{asked.what}: {error}") from error
    components = model.build(asked.scale, device="meta", dtype=dtype)
    pipeline = model.pipeline(asked.scale, components)
    side = task.image_size
    workload = Workload(
        model=asked.what,
        dtype=asked.dtype,
        image_size=None if side is None else (side, side),
        frames=task.frames,
        prompt_length=task.prompt,
        steps=task.steps if task.steps is not None else task.tokens,
        batch=1,
        extra={"suite": True, "scale": asked.scale},
    )
    return _Run(pipeline.target, lambda: pipeline.run(task), components, workload)


def _of_script(asked: Asked, dtype: torch.dtype) -> _Run:
    place, colon, name = asked.what.rpartition(":")
    if not colon:
        known = ", ".join(NAMES)
        raise NotPlannedError(
            f"{asked.what!r} is no model of the suite ({known}) and no path.py:function"
        )
    function = getattr(_module(place), name, None)
    if not callable(function):
        raise NotPlannedError(f"{place} has no function {name}")
    with _usual(dtype), torch.device("meta"):
        made = function()
    if not (isinstance(made, tuple) and len(made) == 2 and callable(made[1])):
        raise NotPlannedError(f"{asked.what}: must return a module or pipeline and a function")
    target, run = made
    components = _components(target)
    for module in components.values():
        module.eval().requires_grad_(False)

    def in_dtype() -> Any:
        # What it makes for its model has the dtype of the model, unless it says otherwise.
        with _usual(dtype):
            return run()

    return _Run(target, in_dtype, components, Workload(model=name, dtype=asked.dtype))


@contextmanager
def _usual(dtype: torch.dtype) -> Iterator[None]:
    """Have new tensors this dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _module(place: str) -> Any:
    if not place.endswith(".py"):
        try:
            return importlib.import_module(place)
        except ImportError as error:
            raise NotPlannedError(f"{place}: cannot be imported: {error}") from error
    path = Path(place)
    if not path.is_file():
        raise NotPlannedError(f"{place}: no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.parent.resolve()))
    spec.loader.exec_module(module)
    return module


def _components(target: Any) -> dict[str, nn.Module]:
    if isinstance(target, nn.Module):
        return {type(target).__name__: target}
    listed = getattr(target, "components", target)
    items = listed.items() if isinstance(listed, dict) else enumerate(listed)
    return {str(name): one for name, one in items if isinstance(one, nn.Module)}
