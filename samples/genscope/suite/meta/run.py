"""Records a run on the device `meta` and says what it holds in memory."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from genscope.collect import Collector
from genscope.schema import Workload
from genscope.suite.meta.calls import Calls
from genscope.suite.meta.mode import MetaMode


class NotPlannedError(Exception):
    """A run could not be followed without its values; the text says what asked for them."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A trace of a run on `meta`, with what the trace does not have."""

    path: Path
    weights: Mapping[str, int]
    """Bytes of each component's weights; shared ones count once, for the first."""
    parameters: Mapping[str, int]
    activation_bytes: int
    """Most bytes of results that lived at once, caches included."""
    calls_made: int
    calls_left_out: int
    guesses: Mapping[str, int] = field(default_factory=dict)
    """Values that were asked for and answered with 0, by op."""


@contextmanager
def recorded(
    target: Any,
    run: Callable[[], Any],
    *,
    components: Mapping[str, nn.Module],
    attention: str,
    device: str,
    workload: Workload,
    every_call: bool = False,
) -> Iterator[Recorded]:
    """Run `run` without values and give its trace, which is gone after the block.

    Args:
        target: What a `Collector` annotates.
        run: Calls models whose weights lie on `meta`.
        components: The models by name, for their weights.
        attention: math or flash.
        device: Type of the device that is meant, cpu or cuda.
        workload: What is run.
        every_call: Make every call, even those that could be told ahead.

    Raises:
        NotPlannedError: Something needs values, or no trace was written.
    """
    mode = MetaMode(attention, device)
    for module in components.values():
        mode.leave_out(itertools.chain(module.parameters(), module.buffers()))
    calls = Calls(mode, every_call=every_call)
    with tempfile.TemporaryDirectory(prefix="genscope-") as folder:
        collector = Collector(
            target,
            folder,
            warmup=0,
            max_events=None,
            max_seconds=None,
            activities=[torch.profiler.ProfilerActivity.CPU],
            gzip=False,
            workload=workload,
        )
        with torch.inference_mode(), mode, mode.as_arrays(), calls.watching(), collector:
            try:
                run()
            except (NotImplementedError, RuntimeError, TypeError, ValueError) as error:
                raise NotPlannedError(_told(error)) from error
        if not collector.written:
            raise NotPlannedError(collector.why_nothing)
        weights, parameters = _weights(components)
        yield Recorded(
            path=Path(collector.written[-1]),
            weights=weights,
            parameters=parameters,
            activation_bytes=mode.peak_bytes,
            calls_made=calls.made,
            calls_left_out=calls.left_out,
            guesses=dict(mode.guesses),
        )


def _weights(components: Mapping[str, nn.Module]) -> tuple[dict[str, int], dict[str, int]]:
    seen: set[int] = set()
    sizes, counts = {}, {}
    for name, module in components.items():
        own = {id(one): one for one in itertools.chain(module.parameters(), module.buffers())}
        new = [one for key, one in own.items() if key not in seen]
        learnt = [one for one in new if isinstance(one, nn.Parameter)]
        sizes[name] = sum(one.numel() * one.element_size() for one in new)
        counts[name] = sum(one.numel() for one in learnt)
        seen |= set(own)
    return sizes, counts


def _told(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    return f"the run failed where there are no values: {type(error).__name__}: {first}"
