"""Measuring attention by itself: one shape, every implementation that this device has.

Operands are random tensors; what is timed is the attention computation alone, forward. An
implementation that cannot compute a shape, or would need more memory than there is, is left out
with the reason.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

_BACKENDS = {
    "math": "MATH",
    "flash": "FLASH_ATTENTION",
    "efficient": "EFFICIENT_ATTENTION",
    "cudnn": "CUDNN_ATTENTION",
}
"""Implementations within torch, by torch's name for them."""

EAGER = "eager"
"""Written out: product, softmax, product."""

IMPLEMENTATIONS = ("eager", *_BACKENDS)
"""What can be measured."""

_ON_CPU = ("eager", "math", "flash")

_SCORE_COPIES = {"eager": 3, "math": 4}
"""Tensors of the size of the scores that live at once; the others write none."""

_MEMORY_SHARE = 0.8
"""Part of the free memory that a call may take."""

_WARMUP = 3

_OUT_OF_MEMORY: type[Exception] = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)


@dataclass(frozen=True, slots=True)
class Shape:
    """What to measure; the fields are those of a call. `mask` is none, causal or tensor."""

    batch: int
    heads: int
    kv_heads: int
    q_len: int
    kv_len: int
    head_dim: int
    v_head_dim: int
    dtype: str
    causal: bool
    mask: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of one implementation; `repeats` calls were timed."""

    implementation: str
    median_ns: int
    low_ns: int
    high_ns: int
    repeats: int


@dataclass(slots=True)
class Measured:
    """What was measured of a shape, and what not, by implementation with the reason."""

    timings: list[Timing] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def default_device() -> str:
    """`cuda` where there is one, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_name(device: str) -> str:
    """What the device is called, as traces name it."""
    if torch.device(device).type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return platform.processor() or platform.machine() or "CPU"


def torch_version() -> str:
    """Version of torch."""
    return str(torch.__version__)


def available(device: str) -> tuple[str, ...]:
    """Return the implementations that a kind of device can have.

    Raises:
        ValueError: There is no such device here.
    """
    try:
        kind = torch.device(device).type
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    return _ON_CPU if kind == "cpu" else IMPLEMENTATIONS


def measure(
    shape: Shape,
    device: str,
    implementations: Sequence[str],
    *,
    repeats: int = 20,
    seconds: float = 2.0,
) -> Measured:
    """Time a shape with each of the implementations.

    Args:
        shape: What to compute.
        device: Where; as torch names it.
        implementations: Of IMPLEMENTATIONS.
        repeats: Calls to time of each, fewer where the time is up.
        seconds: For each implementation; one call is always made.
    """
    found = Measured()
    dtype = getattr(torch, shape.dtype, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        return _all_skipped(implementations, f"there is no random data of type {shape.dtype}")
    if not _plausible(shape):
        return _all_skipped(implementations, "these lengths cannot be")
    free = _free_bytes(device)
    for name in implementations:
        needed = _needed_bytes(shape, name, dtype.itemsize)
        if free is not None and needed > _MEMORY_SHARE * free:
            found.skipped[name] = (
                f"it would take {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free"
            )
            continue
        try:
            found.timings.append(_timed(shape, name, device, dtype, repeats, seconds))
        except _OUT_OF_MEMORY:
            found.skipped[name] = "the memory of the device is too small"
        except (RuntimeError, TypeError, MemoryError) as error:
            found.skipped[name] = f"it cannot: {_first_line(error)}"
        if torch.device(device).type == "cuda":
            torch.cuda.empty_cache()
    return found


def _all_skipped(implementations: Sequence[str], reason: str) -> Measured:
    return Measured(skipped=dict.fromkeys(implementations, reason))


def _plausible(shape: Shape) -> bool:
    """Whether tensors can have this shape: traces say anything."""
    sizes = (
        shape.batch, shape.heads, shape.kv_heads, shape.q_len, shape.kv_len,
        shape.head_dim, shape.v_head_dim,
    )  # fmt: skip
    return all(0 < size < 2**31 for size in sizes) and shape.heads % shape.kv_heads == 0


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _needed_bytes(shape: Shape, name: str, itemsize: int) -> int:
    queries = shape.batch * shape.heads * shape.q_len
    keys = shape.batch * shape.heads * shape.kv_len
    wide = shape.head_dim + shape.v_head_dim
    scores = queries * shape.kv_len
    copies = _SCORE_COPIES.get(name, 0)
    # Math of half precision is computed in single precision.
    score_size = max(itemsize, 4) if name == "math" else itemsize
    mask = shape.q_len * shape.kv_len * itemsize if shape.mask == "tensor" else 0
    return (queries + keys) * wide * itemsize + scores * copies * score_size + mask


def _free_bytes(device: str) -> int | None:
    if torch.device(device).type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _timed(
    shape: Shape, name: str, device: str, dtype: torch.dtype, repeats: int, seconds: float
) -> Timing:
    clock = _gpu_clock if torch.device(device).type == "cuda" else _cpu_clock
    with torch.inference_mode(), warnings.catch_warnings():
        # Torch warns of each reason why a backend cannot; the error says enough.
        warnings.simplefilter("ignore")
        call = _call(shape, name, device, dtype)
        started = time.perf_counter()
        taken = [clock(call)]
        for _ in range(_WARMUP - 1):
            if time.perf_counter() - started > seconds / 4:
                break
            taken = [clock(call)]
        # What one call takes longer than is allowed stands as it is.
        if time.perf_counter() - started < seconds:
            taken = []
        while len(taken) < repeats:
            if taken and time.perf_counter() - started > seconds:
                break
            taken.append(clock(call))
    return Timing(name, round(statistics.median(taken)), min(taken), max(taken), len(taken))


def _call(shape: Shape, name: str, device: str, dtype: torch.dtype) -> Callable[[], torch.Tensor]:
    """Make operands, and return what computes attention with them."""

    def operand(heads: int, length: int, width: int) -> torch.Tensor:
        made = torch.empty(shape.batch, heads, length, width, device=device, dtype=dtype)
        return made.normal_() if dtype.itemsize > 1 else made.zero_()

    query = operand(shape.heads, shape.q_len, shape.head_dim)
    key = operand(shape.kv_heads, shape.kv_len, shape.head_dim)
    value = operand(shape.kv_heads, shape.kv_len, shape.v_head_dim)
    grouped = shape.kv_heads != shape.heads
    # A single query sees all that came before it.
    causal = shape.causal and shape.q_len > 1
    mask: Any = None
    if shape.mask == "tensor":
        mask, causal = torch.zeros(shape.q_len, shape.kv_len, device=device, dtype=dtype), False
    elif causal and shape.q_len != shape.kv_len:
        mask, causal = _lower_right(shape.q_len, shape.kv_len), False
    if name == EAGER:
        return _eager(query, key, value, _score_mask(mask, causal, shape, device), grouped)
    from torch.nn.attention import SDPBackend, sdpa_kernel

    backend = getattr(SDPBackend, _BACKENDS[name])
    more: dict[str, Any] = {"enable_gqa": True} if grouped else {}

    def fused() -> torch.Tensor:
        with sdpa_kernel(backend):
            return scaled_dot_product_attention(
                query, key, value, attn_mask=mask, is_causal=causal, **more
            )

    return fused


def _lower_right(queries: int, keys: int) -> Any:
    """Causality aligned at the last query, as with a cache of keys."""
    from torch.nn.attention.bias import causal_lower_right

    return causal_lower_right(queries, keys)


def _score_mask(mask: Any, causal: bool, shape: Shape, device: str) -> torch.Tensor | None:
    """What is added to scores that are written out."""
    if mask is None and not causal:
        return None
    if shape.mask == "tensor":
        return torch.as_tensor(mask)
    seen = torch.ones(shape.q_len, shape.kv_len, device=device, dtype=torch.bool)
    seen = seen.tril(shape.kv_len - shape.q_len)
    return torch.zeros(seen.shape, device=device).masked_fill_(~seen, float("-inf"))


def _eager(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    grouped: bool,
) -> Callable[[], torch.Tensor]:
    scale = query.shape[-1] ** -0.5
    if mask is not None:
        mask = mask.to(query.dtype)
    if grouped:
        # As libraries do it, before attention: copies, which are no part of it.
        repeat = query.shape[1] // key.shape[1]
        key, value = (one.repeat_interleave(repeat, dim=1) for one in (key, value))

    def written_out() -> torch.Tensor:
        scores = torch.matmul(query, key.transpose(-2, -1)) * scale
        if mask is not None:
            scores = scores + mask
        return torch.matmul(torch.softmax(scores, dim=-1), value)

    return written_out


def _cpu_clock(call: Callable[[], torch.Tensor]) -> int:
    start = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start


def _gpu_clock(call: Callable[[], torch.Tensor]) -> int:
    event: Any = torch.cuda.Event
    start, end = event(enable_timing=True), event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    call()
    end.record()
    torch.cuda.synchronize()
    # Milliseconds; an event is no finer than half a microsecond and can say 0.
    return max(round(float(start.elapsed_time(end)) * 1e6), 1)
