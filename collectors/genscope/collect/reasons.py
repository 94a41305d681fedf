"""Why torch chose another implementation of attention than was asked for, in plain words."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

CAST = (torch.float32, torch.float16, torch.bfloat16)
"""What autocast casts."""


def autocast(device: str) -> torch.dtype | None:
    """Return what autocast makes of floating point on a type of device; None where it is off."""
    try:
        return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    except (AttributeError, TypeError):  # Before torch 2.4.
        if device == "cuda":
            return torch.get_autocast_gpu_dtype() if torch.is_autocast_enabled() else None
        on = device == "cpu" and torch.is_autocast_cpu_enabled()
        return torch.get_autocast_cpu_dtype() if on else None
    except RuntimeError:  # A type of device that has no autocast.
        return None


@dataclass(frozen=True, slots=True)
class Call:
    """Arguments of `scaled_dot_product_attention`, and what was asked for."""

    asked: str
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    mask: torch.Tensor | None
    dropout: float
    causal: bool
    gqa: bool

    @property
    def device(self) -> str:
        """Type of the device."""
        return self.query.device.type

    @property
    def width(self) -> int:
        """Elements of a row of q and k."""
        return self.query.shape[-1]

    @property
    def v_width(self) -> int:
        """Elements of a row of v."""
        return self.value.shape[-1]

    @property
    def dtype(self) -> torch.dtype:
        """Type of the elements, as autocast makes it."""
        cast = autocast(self.device)
        return self.query.dtype if cast is None or self.query.dtype not in CAST else cast


def why(
    asked: str,
    chosen: str,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> str:
    """Say why a call with these arguments, those of torch's function, did not run as asked."""
    call = Call(asked, query, key, value, attn_mask, dropout_p, is_causal, enable_gqa)
    if not isinstance(query, torch.Tensor) or chosen == "unknown":
        return f"torch does not tell what it chooses for a {type(query).__name__}"
    if asked == "eager":
        return "it went through torch's function, which has no eager path"
    found = [text.format(call=call) for fits, text in _REASONS if fits(call)]
    return " and ".join(found) or _in_torch_words(call) or "torch's own choice"


def _off(call: Call) -> bool:
    name = {"efficient": "mem_efficient"}.get(call.asked, call.asked)
    enabled = getattr(torch.backends.cuda, f"{name}_sdp_enabled", None)
    return enabled is not None and not enabled()


_FUSED = ("flash", "efficient", "cudnn")
_HALF = (torch.float16, torch.bfloat16)
# Rules of torch 2.3 to 2.13, as observed; what none of them explains, torch is asked itself.
_REASONS: tuple[tuple[Callable[[Call], bool], str], ...] = (
    (_off, "{call.asked} is switched off by another block within"),
    (
        lambda call: call.device == "cpu" and call.asked in ("efficient", "cudnn"),
        "there is no {call.asked} attention on a CPU",
    ),
    (
        lambda call: call.asked in _FUSED and call.query.dim() != 4,
        "the query has {call.query.ndim} dimensions instead of 4",
    ),
    (
        lambda call: call.asked in _FUSED and call.query.numel() * call.key.numel() == 0,
        "there is nothing to compute",
    ),
    (
        lambda call: call.device == "cpu" and call.asked == "flash" and call.dropout > 0,
        "dropout is {call.dropout:g}: call model.eval() where training is not meant",
    ),
    (
        lambda call: (
            call.asked in ("flash", "cudnn") and call.query.shape[-1] != call.value.shape[-1]
        ),
        "v is {call.v_width} wide, q and k {call.width}",
    ),
    (
        lambda call: call.device == "cuda" and call.asked == "flash" and call.mask is not None,
        "flash takes no mask tensor",
    ),
    (
        lambda call: (
            call.device == "cpu"
            and call.asked == "flash"
            and call.mask is not None
            and call.mask.dim() not in (2, 4)
        ),
        "the mask has {call.mask.ndim} dimensions, not 2 or 4",
    ),
    (
        lambda call: call.asked in _FUSED and call.mask is not None and call.mask.requires_grad,
        "the mask wants a gradient",
    ),
    (
        lambda call: (
            call.device == "cuda" and call.asked in ("flash", "cudnn") and call.dtype not in _HALF
        ),
        "{call.asked} takes float16 and bfloat16, not {call.dtype}",
    ),
    (
        lambda call: call.device == "cuda" and call.asked == "flash" and call.width > 256,
        "heads are {call.width} wide, more than 256",
    ),
)


def _in_torch_words(call: Call) -> str:
    """Return what torch warns of when asked whether it could; "" if it has nothing to say."""
    # Absent from the type information, or with other arguments there.
    params_of: Any = getattr(torch.backends.cuda, "SDPAParams", None)
    asks = getattr(torch.backends.cuda, f"can_use_{call.asked}_attention", None)
    if asks is None or call.device != "cuda":
        return ""
    given: list[Any] = [call.query, call.key, call.value, call.mask, call.dropout, call.causal]
    try:
        try:
            params = params_of(*given, call.gqa)
        except TypeError:  # Before torch 2.5.
            params = params_of(*given)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            asks(params, True)
    except Exception:
        return ""
    # The first says that it cannot, and each ends with a place in torch's sources.
    words = [str(warning.message).partition(" (Triggered internally")[0] for warning in heard]
    return " ".join(word for word in words if "not used because" not in word)[:300]
