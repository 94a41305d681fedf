"""Recording one call twice, with baseline and with fused attention."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch

from genscope.collect.collector import Collector
from genscope.collect.switch import attention, roots
from genscope.collect.verify import AsRan
from genscope.schema import Workload

# How far outputs may lie apart, as a part of the baseline's largest value: rounding of each type,
# over the depth of a model.
_TOLERANCE = {
    torch.float64: 1e-9,
    torch.float32: 1e-4,
    torch.float16: 1e-2,
    torch.bfloat16: 5e-2,
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """How the outputs of two runs compare."""

    agree: bool | None
    """Within the tolerance of their type; None where there was no tensor to compare."""
    max_abs_difference: float | None
    tolerance: float | None
    """As a part of the baseline's largest absolute value; 0 for integers, which must be equal."""

    def __str__(self) -> str:
        if self.agree is None:
            return "no output to compare"
        verdict = "agree" if self.agree else "DISAGREE"
        return f"outputs {verdict} (largest difference {self.max_abs_difference:.2g})"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two."""

    attention: str
    seconds: tuple[float, ...]
    """Wall time of each repeat, without profiler."""
    ran: AsRan
    """What ran in the last of those repeats."""
    trace: Path | None = None
    """The trace; None where none could be written, which is logged."""

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Pair:
    """A call with baseline and with fused attention."""

    baseline: Side
    fused: Side
    outputs: Outputs

    @property
    def speedups(self) -> tuple[float, ...]:
        """Baseline over fused time, of each repeat."""
        pairs = zip(self.baseline.seconds, self.fused.seconds, strict=True)
        return tuple(slow / fast for slow, fast in pairs)

    @property
    def speedup(self) -> float:
        """Ratio of the two medians; above 1, fused is faster."""
        return self.baseline.median / self.fused.median

    def __str__(self) -> str:
        lines = [
            f"{self.fused.attention} over {self.baseline.attention}: {self.speedup:.2f}x "
            f"({min(self.speedups):.2f} to {max(self.speedups):.2f} in {len(self.speedups)} "
            f"repeats); {self.outputs}"
        ]
        for side in (self.baseline, self.fused):
            lines.append(
                f"  {side.attention}: {side.median * 1e3:.1f} ms, {side.trace or 'no trace'}; "
                f"{side.ran}"
            )
        return "\n".join(lines)


def collect_pair(
    fn: Callable[[], Any],
    output: str | Path,
    *,
    baseline: str = "math",
    fused: str = "flash",
    model: object = None,
    warmup: int = 1,
    repeats: int = 3,
    seed: int = 0,
    workload: Workload | None = None,
    **options: Any,
) -> Pair:
    """Record `fn()` into `output/baseline` and `output/fused`, and measure both.

    First `warmup` calls of each, then `repeats` calls of each in turns without a profiler, which
    give the times, then one call of each with it, which gives the traces. Every call starts from
    the same seed; the generators of torch, Python and numpy are left as they were. The times stand
    in the traces too, in the workload's `extra`.

    Args:
        fn: What to record; what it returns is compared.
        output: Folder that gets the two.
        baseline: Name for `attention`; the two names must differ.
        fused: Name for `attention`.
        model: What `fn` calls; helps to switch it (`attention`) and to annotate it (`Collector`).
        warmup: Calls of each that are thrown away.
        repeats: Timed calls of each, at least 1.
        seed: Of every call.
        workload: What is run; its `attention` and times are filled in.
        options: Of the `Collector`.

    Raises:
        ValueError: The names are equal or unknown, or a number is too small.
        AttentionUnavailableError: One of the two cannot run here.
    """
    if baseline == fused:
        raise ValueError(f"both would run with {fused} attention")
    if repeats < 1 or warmup < 0:
        raise ValueError("there must be a repeat at least, and no fewer than 0 calls to warm up")
    folder = Path(output)
    names = (baseline, fused)
    devices = _devices(model)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    ran = {name: AsRan(name) for name in names}
    outputs: dict[str, Any] = {}
    with _generators():
        for name in names * warmup:
            _timed(name, fn, model, seed, devices, warn=False)
        for turn, name in enumerate(names * repeats):
            # The last ones are compared; the one before must not take up memory meanwhile.
            outputs.pop(name, None)
            outputs[name], taken, ran[name] = _timed(
                name, fn, model, seed, devices, warn=turn < len(names)
            )
            seconds[name].append(taken)
        compared = _compare(*outputs.values())
        outputs.clear()
        first, second = (Side(name, tuple(seconds[name]), ran[name]) for name in names)
        pair = Pair(first, second, compared)
        traces = [
            _record(
                fn, folder / side.attention, model, seed, _described(workload, side, pair), options
            )
            for side in (pair.baseline, pair.fused)
        ]
    return replace(
        pair,
        baseline=replace(pair.baseline, trace=traces[0]),
        fused=replace(pair.fused, trace=traces[1]),
    )


def _timed(
    name: str,
    fn: Callable[[], Any],
    model: object,
    seed: int,
    devices: Sequence[str],
    *,
    warn: bool,
) -> tuple[Any, float, AsRan]:
    with attention(name, model, warn=warn) as ran:
        _seed(seed)
        _synchronize(devices)
        start = time.perf_counter()
        result = fn()
        _synchronize(devices)
        taken = time.perf_counter() - start
    return result, taken, ran


def _record(
    fn: Callable[[], Any],
    folder: Path,
    model: object,
    seed: int,
    workload: Workload,
    options: Mapping[str, Any],
) -> Path | None:
    collector = Collector(model, folder, workload=workload, **options)
    # What ran otherwise than asked was told when the times were taken.
    with attention(str(workload.attention), model, warn=False), collector:
        _seed(seed)
        fn()
    return Path(collector.written[-1]) if collector.written else None


def _described(workload: Workload | None, side: Side, pair: Pair) -> Workload:
    workload = workload or Workload()
    extra: dict[str, str | int | float | bool] = {
        "unprofiled_median_s": side.median,
        "unprofiled_repeats_s": " ".join(f"{seconds:.6g}" for seconds in side.seconds),
        "pair": f"{pair.baseline.attention} {pair.fused.attention}",
        "speedup": pair.speedup,
    }
    if pair.outputs.agree is not None:
        extra["outputs_agree"] = pair.outputs.agree
    return replace(workload, attention=side.attention, extra={**workload.extra, **extra})


def _devices(model: object) -> list[str]:
    """Return the devices whose work has to be waited for: those of the model, else the GPUs."""
    found = {str(p.device) for root in roots(model) for p in root.parameters()}
    if not found and torch.cuda.is_available():
        found = {f"cuda:{index}" for index in range(torch.cuda.device_count())}
    return sorted(name for name in found if not name.startswith(("cpu", "meta")))


def _synchronize(devices: Sequence[str]) -> None:
    for name in devices:
        backend: Any = getattr(torch, torch.device(name).type, None)
        if hasattr(backend, "synchronize"):
            backend.synchronize()


@contextmanager
def _generators() -> Iterator[None]:
    """Leave the random generators of torch, Python and numpy as they were."""
    numpy: Any = sys.modules.get("numpy")
    python = random.getstate()
    arrays = numpy.random.get_state() if numpy is not None else None
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python)
            if numpy is not None:
                numpy.random.set_state(arrays)


def _seed(seed: int) -> None:
    random.seed(seed)
    torch.manual_seed(seed)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)


def _compare(baseline: Any, fused: Any) -> Outputs:
    pairs = list(zip(_tensors(baseline), _tensors(fused), strict=False))
    if not pairs:
        return Outputs(None, None, None)
    agree, largest, tolerance = True, 0.0, 0.0
    for left, right in pairs:
        if left.shape != right.shape or left.dtype != right.dtype:
            return Outputs(False, float("inf"), 0.0)
        allowed = _TOLERANCE.get(left.dtype, 0.0)
        wide = torch.complex128 if left.is_complex() else torch.float64
        if left.numel() == 0:
            continue
        left, right = left.to("cpu", wide), right.to("cpu", wide)
        # What is not a number in both is no difference.
        same = (left == right) | (left.isnan() & right.isnan())
        difference = (left - right).abs().masked_fill(same, 0).nan_to_num(nan=float("inf"))
        scale = float(left.abs().nan_to_num(0.0, 0.0, 0.0).max())
        agree &= bool(difference.max() <= allowed * scale)
        largest = max(largest, float(difference.max()))
        tolerance = max(tolerance, allowed)
    return Outputs(agree, largest, tolerance)


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors in a result: itself, or in collections and the outputs of libraries."""
    if isinstance(value, torch.Tensor):
        yield value.detach()
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from _tensors(getattr(value, one.name, None))
    elif hasattr(value, "__array_interface__"):
        # Images and arrays of numpy, which torch alone can take.
        yield torch.as_tensor(bytearray(value.tobytes()), dtype=torch.uint8)
