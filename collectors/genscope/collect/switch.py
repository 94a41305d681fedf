"""One switch for the way attention is computed, whichever library calls it.

    with attention("flash") as ran:
        pipe(prompt)
    print(ran)

The switch is process-wide, as torch's own flags are: while a block is open, attention on every
thread is computed as it asks. Blocks nest; the innermost one counts. Graphs that torch.compile made
before keep the attention that they were compiled with, and are neither watched nor recompiled.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import torch
from torch import nn

from genscope.collect import libraries
from genscope.collect.verify import AsRan, Watch

_LOG = logging.getLogger("genscope")

# In the order in which torch shall try. What was asked for comes first; the others keep a call
# alive that it cannot serve (and that would raise otherwise), the least wasteful first.
_BACKENDS: dict[str, tuple[str, ...]] = {
    "math": ("MATH",),
    "flash": ("FLASH_ATTENTION", "EFFICIENT_ATTENTION", "MATH"),
    "efficient": ("EFFICIENT_ATTENTION", "FLASH_ATTENTION", "MATH"),
    "cudnn": ("CUDNN_ATTENTION", "FLASH_ATTENTION", "EFFICIENT_ATTENTION", "MATH"),
    # For what its library has no unfused path for, torch's own is the nearest.
    "eager": ("MATH",),
}

NAMES = tuple(_BACKENDS)
"""What can be asked for."""


class AttentionUnavailableError(RuntimeError):
    """The implementation that was asked for cannot run on this machine or device."""


class WrongAttentionError(RuntimeError):
    """Attention did not run as it was asked to; the text says what ran and why."""


def available(model: object = None) -> tuple[str, ...]:
    """Return the names that can run where `model` lies, without one: anywhere on this machine."""
    devices = {
        tensor.device.type for module in _modules(model) for tensor in module.parameters(False)
    }
    if not devices:
        devices = {"cuda" if torch.cuda.is_available() else "cpu"}
    return tuple(name for name in NAMES if any(_runs_on(name, device) for device in devices))


class attention:
    """Compute attention as asked within the block, and watch that it is.

    - `math`, `flash`, `efficient`, `cudnn`: that backend of `scaled_dot_product_attention`. A call
      that it cannot serve runs as the next best one, and the result says so.
    - `eager`: the unfused path of transformers (`set_attn_implementation("eager")`) and diffusers
      (`AttnProcessor` and its like). What has none runs as `math`, and the result says so.

    `model` is a module, a pipeline, or several of them (list, tuple, dict). With it, models that
    were set to another implementation are switched too: for a fused name and `math` to the path
    through `scaled_dot_product_attention`. Without it, `eager` switches every transformers and
    diffusers model that is alive or is built within the block, and the other names switch none.

    Entering gives an `AsRan`, complete when the block ends. What ran otherwise than asked is logged
    once, as a warning of the logger `genscope`. Everything is restored exactly, after exceptions
    too. What is watched: calls of `scaled_dot_product_attention` from Python, the attention
    interface of transformers and the unfused processors of diffusers; not attention that a model
    spells out by hand, and nothing where torch.compile is in use, since watching would make it
    compile again. `nn.MultiheadAttention` does without its fast path, which heeds no switch.

    Args:
        name: One of `NAMES`.
        model: What to switch; see above.
        strict: Raise where attention did not run as asked, or where that could not be seen.
        warn: Log where attention did not run as asked.

    Raises:
        ValueError: There is no such name.
        AttentionUnavailableError: On entering; it cannot run on this device. Nothing was changed.
        WrongAttentionError: On leaving, if `strict`; never in place of an exception of the block.
    """

    def __init__(
        self, name: str, model: object = None, *, strict: bool = False, warn: bool = True
    ) -> None:
        if name not in _BACKENDS:
            raise ValueError(f"no attention is called {name!r}; there are {', '.join(NAMES)}")
        self._name = name
        self._model = model
        self._strict = strict
        self._warn = warn
        self._open = ExitStack()
        self._ran: AsRan | None = None

    def __enter__(self) -> AsRan:
        if self._ran is not None:
            raise RuntimeError("this attention() block is open already; make another one")
        here = available(self._model)
        if self._name not in here:
            raise AttentionUnavailableError(
                f"{self._name} attention cannot run here (torch {torch.__version__}, "
                f"{_place(self._model)}); available: {', '.join(here)}"
            )
        modules = list(_modules(self._model))
        ran = AsRan(self._name)
        with ExitStack() as stack:
            stack.enter_context(_Backends(_BACKENDS[self._name]))
            libraries.switch(self._name == "eager", self._model is None, modules, ran, stack)
            if any(map(libraries.compiled, modules)):
                ran.note(
                    "the model is compiled: its graphs keep the attention that they were compiled "
                    "with (torch.compiler.reset() drops them)"
                )
            stack.enter_context(Watch(ran, modules))
            self._open = stack.pop_all()
        self._ran = ran
        return ran

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ran, self._ran = self._ran, None
        self._open.close()
        if ran is None or kind is not None or ran.as_asked:
            return
        # What could not be watched is no news to those who compile; strict wants to be sure.
        if ran.watched and self._warn:
            _LOG.warning("%s", ran)
        if self._strict:
            raise WrongAttentionError(str(ran))


class _Backends:
    """Torch's flags and their order, restored exactly."""

    def __init__(self, names: tuple[str, ...]) -> None:
        try:
            from torch.nn.attention import SDPBackend, sdpa_kernel
        except ImportError as error:
            raise AttentionUnavailableError(
                f"torch {torch.__version__} cannot choose; torch 2.3 can"
            ) from error
        known = [getattr(SDPBackend, name) for name in names if hasattr(SDPBackend, name)]
        # Without priorities torch keeps its own order, in which the next best could come first.
        if "set_priority" in inspect.signature(sdpa_kernel).parameters:
            self._block = sdpa_kernel(known, set_priority=True)
        else:
            self._block = sdpa_kernel([known[0], SDPBackend.MATH])
        self._order: list[int] | None = None
        self._fast = torch.backends.mha.get_fastpath_enabled()

    def __enter__(self) -> None:
        # sdpa_kernel restores the order of the enabled ones alone.
        read = getattr(torch._C, "_get_sdp_priority_order", None)
        self._order = read() if read else None
        # The fast path of nn.MultiheadAttention heeds none of this; without it, it calls the same
        # function as all the others.
        self._fast = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        self._block.__enter__()

    def __exit__(self, *_: object) -> None:
        self._block.__exit__(None, None, None)
        torch.backends.mha.set_fastpath_enabled(self._fast)
        if self._order is not None:
            torch._C._set_sdp_priority_order(self._order)


def _modules(model: object) -> Iterator[nn.Module]:
    """Yield every module of a model, a pipeline or several of them, each once."""
    seen: set[int] = set()
    for root in roots(model):
        for module in root.modules():
            if id(module) not in seen:
                seen.add(id(module))
                yield module


def roots(model: object) -> list[nn.Module]:
    """Return the models in `model`: itself, the parts of a pipeline, the items of a collection."""
    if model is None:
        return []
    if isinstance(model, nn.Module):
        return [model]
    parts: Iterable[Any]
    if isinstance(model, Mapping):
        parts = model.values()
    elif isinstance(model, (list, tuple, set)):
        parts = model
    else:
        held = getattr(model, "components", None)
        found = held if isinstance(held, Mapping) else getattr(model, "__dict__", {})
        return [part for part in found.values() if isinstance(part, nn.Module)]
    return [root for part in parts for root in roots(part)]


def _runs_on(name: str, device: str) -> bool:
    if name in ("math", "eager"):
        return True
    if device == "cpu":
        return name == "flash"
    if device != "cuda":
        # Whether it does, the watch will tell.
        return name != "cudnn"
    if name == "flash":
        offered = getattr(torch.backends.cuda, "is_flash_attention_available", None)
        return bool(offered()) if offered else True
    if name == "cudnn":
        return hasattr(torch.backends.cuda, "cudnn_sdp_enabled") and (
            torch.backends.cudnn.is_available()  # type: ignore[no-untyped-call]
        )
    return True


def _place(model: object) -> str:
    devices = sorted(
        {str(p.device) for module in _modules(model) for p in module.parameters(False)}
    )
    if devices:
        return f"a model on {' and '.join(devices)}"
    return "CUDA" if torch.cuda.is_available() else "no GPU"
