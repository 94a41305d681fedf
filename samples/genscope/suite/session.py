"""Recording the suite: every model in turn, what is there passed over, failures told at the end."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from genscope.collect.switch import available
from genscope.schema import Workload
from genscope.suite.errors import UnavailableError
from genscope.suite.forecast import LIMITS, Size, cut, watched
from genscope.suite.memory import needed, refusal
from genscope.suite.models.base import Model, Scale, Task, parameters
from genscope.suite.plan import Plan, in_words, plans
from genscope.suite.record import record, record_pair
from genscope.suite.registry import NAMES, Row, load, rows

Say = Callable[[str], None]


def _print(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Request:
    """What shall be recorded."""

    output: Path
    models: Sequence[str] = NAMES
    scale: Scale = "tiny"
    attention: Sequence[str] = ("math", "flash")
    """Baseline and fused, or one alone."""
    device: str | None = None
    """None for the GPU, if there is one."""
    dtype: str | None = None
    """None for what is usual on the device."""
    sweeps: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Values of the fields of a task, by name."""
    repeats: int = 3
    force: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the `Collector`, over the limits that are usual at this scale."""
    say: Say = _print
    complain: Say = _complain

    def where(self) -> torch.device:
        """Return the device."""
        return torch.device(self.device or ("cuda" if torch.cuda.is_available() else "cpu"))

    def kind(self) -> torch.dtype:
        """Return the data type."""
        usual = "float32" if self.where().type == "cpu" else "bfloat16"
        found: torch.dtype = getattr(torch, self.dtype or usual)
        return found

    def collecting(self) -> dict[str, Any]:
        """Return the options of the `Collector`."""
        return {**LIMITS[self.scale], **self.options}

    def place(self) -> str:
        """Return the part of a folder's name that tells device and dtype, "" for a plain CPU."""
        device, dtype = self.where().type, self.kind()
        is_plain = device == "cpu" and dtype == torch.float32
        return "" if is_plain else f"{device}-{str(dtype).removeprefix('torch.')}"


@dataclass(slots=True)
class Outcome:
    """What became of it. All in models and tasks, as `muse/tiny`."""

    recorded: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Those for which there is no room here."""


def run(request: Request) -> Outcome:
    """Record everything that is asked for and not there yet.

    A model that fails is told and passed over.

    Raises:
        UnavailableError: There is no such device or attention here, or no model fits.
        ValueError: There is no such model.
        OSError: The output cannot be written to.
    """
    wanted = rows(request.models)
    _check_place(request)
    request.output.mkdir(parents=True, exist_ok=True)
    outcome = Outcome()
    for number, row in enumerate(wanted, 1):
        _model(request, row, f"[{number}/{len(wanted)}] {row.name}", outcome)
    if outcome.refused and not (outcome.recorded or outcome.kept or outcome.failed):
        raise UnavailableError(
            f"at {request.scale} scale none of these models can run here; see above. "
            "--scale tiny runs anywhere"
        )
    return outcome


def _check_place(request: Request) -> None:
    device = request.where()
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UnavailableError("there is no GPU that torch can use here; --device cpu is there")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UnavailableError(f"{device} cannot be used: {_first_line(error)}") from error
    probe = torch.nn.Linear(1, 1, device=device)
    here = available(probe)
    if absent := [name for name in request.attention if name not in here]:
        raise UnavailableError(
            f"{absent[0]} attention cannot run on {device}; there are {', '.join(here)}"
        )


def _model(request: Request, row: Row, name: str, outcome: Outcome) -> None:
    """Record all tasks of one model."""
    try:
        model = load(row.name)
        todo = []
        for plan in plans(
            model, request.output / row.name, request.scale, request.sweeps, request.place()
        ):
            label = f"{row.name}/{plan.folder.name}"
            if not request.force and plan.is_done(request.attention):
                request.say(f"{name}: kept {plan.folder}; --force records it again")
                outcome.kept.append(label)
                continue
            try:
                model.check(request.scale, plan.task)
            except ValueError as error:
                request.complain(f"{name}: NOT RECORDED: {in_words(plan.task)}: {error}")
                outcome.failed.append(label)
                continue
            if reason := _too_large(request, model, plan.task):
                request.complain(f"{name}: {in_words(plan.task)}: REFUSED: {reason}")
                outcome.refused.append(label)
                continue
            todo.append(plan)
        if not todo:
            return
        components = model.build(request.scale, device=request.where(), dtype=request.kind())
        count = sum(parameters(components).values())
        pipeline = model.pipeline(request.scale, components)
    except Exception as error:
        request.complain(f"{name}: NOT RECORDED: {_told(error)}")
        outcome.failed.append(row.name)
        _free()
        return
    request.say(f"{name}: {row.title}, {count / 1e6:,.1f} M random weights")
    for plan in todo:
        label = f"{row.name}/{plan.folder.name}"
        try:
            _record(request, row, plan, pipeline.target, pipeline.run)
        except Exception as error:
            request.complain(f"  {label}: NOT RECORDED: {_told(error)}")
            outcome.failed.append(label)
        else:
            outcome.recorded.append(label)
    del components, pipeline
    _free()


def _record(
    request: Request, row: Row, plan: Plan, target: object, run: Callable[[Task], torch.Tensor]
) -> None:
    def inference() -> torch.Tensor:
        with torch.inference_mode():
            return run(plan.task)

    def tell(size: Size) -> None:
        if reason := cut(size, options):
            request.complain(f"  {plan.folder.name}: {reason}")

    task, options = plan.task, request.collecting()
    once = watched(inference, tell)
    given: dict[str, Any] = {
        "model": target,
        "run": once,
        "worker": request.where().type,
        "workload": Workload(
            model=row.name,
            image_size=None if task.image_size is None else (task.image_size, task.image_size),
            frames=task.frames,
            prompt_length=task.prompt,
            steps=task.steps if task.steps is not None else task.tokens,
            batch=1,
            extra={"suite": True, "scale": request.scale, "task": plan.folder.name},
        ),
        **options,
    }
    start = time.perf_counter()
    names = tuple(request.attention)
    label = f"  {plan.folder.name}: {in_words(task)}: "
    if len(names) == 1:
        made = record(names[0], plan.folder / names[0], warm_up=once, strict=False, **given)
        traces, told = [made.path], f"{names[0]}, {made.attention_calls} attention calls"
    else:
        pair = record_pair((names[0], names[1]), plan.folder, repeats=request.repeats, **given)
        sides = (pair.baseline, pair.fused)
        traces = [side.trace for side in sides if side.trace is not None]
        told = (
            f"{names[0]} {pair.baseline.median:.2f} s, {names[1]} {pair.fused.median:.2f} s "
            f"({pair.speedup:.2f}x), {pair.outputs}"
        )
        told += "".join(f"; {side.ran}" for side in sides if not side.ran.as_asked)
    size = sum(trace.stat().st_size for trace in traces) / 1e6
    request.say(f"{label}{told}; {size:.1f} MB in {time.perf_counter() - start:.0f} s")


def _too_large(request: Request, model: Model, task: Task) -> str:
    """Say why a task cannot be recorded on the device, "" if it can."""
    if request.scale == "tiny":
        return ""
    device = request.where()
    # On a CPU, what it would be on a GPU.
    kind = torch.bfloat16 if request.dtype is None else request.kind()
    need = needed(model, request.scale, task, kind, request.attention)
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None
    return refusal(need, kind, request.attention, free)


def _told(error: Exception) -> str:
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return "the GPU's memory is full; --attention flash, or a smaller task, needs less"
    return f"{type(error).__name__}: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0]


def _free() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
