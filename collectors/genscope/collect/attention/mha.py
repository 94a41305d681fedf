"""Attention inside torch.nn.MultiheadAttention and torch.nn.TransformerEncoder.

Their fast paths are functions of their own, replaced like others. To take them they ask whether
a torch function mode is on, so ours is taken off around them, and their attention is described
by what went into them. Written out (`need_weights`), attention is a chain that no mode can see
either: `torch.nn.functional.multi_head_attention_forward` then runs as a copy that names its
softmax and its output projection.
"""

from __future__ import annotations

import threading
import types
from collections.abc import Callable
from typing import Any, Protocol

import torch
import torch.nn.functional as F

from genscope.collect.attention.readers import Layout, Seen, name_of

_NAMES = (
    "query", "key", "value", "embed_dim_to_check", "num_heads", "in_proj_weight", "in_proj_bias",
    "bias_k", "bias_v", "add_zero_attn", "dropout_p", "out_proj_weight", "out_proj_bias",
    "training", "key_padding_mask", "need_weights", "attn_mask",
)  # fmt: skip


class Owner(Protocol):
    """What is asked and told."""

    def opaque(
        self,
        query: Any,
        key: Any,
        layouts: tuple[Layout, Layout],
        call: Callable[[], Any],
    ) -> Any:
        """Run `call` with no mode of ours on; its attention is between `query` and `key`."""

    def busy(self) -> bool:
        """Tell whether a mode of ours is on, on this thread."""

    def written(self, seen: Seen) -> None:
        """Mark the end of a chain."""

    def fail(self) -> None:
        """Give up after an error of ours."""


_FIRST, _SECOND = Layout(-2, None), Layout(0, None)
"""Tokens after the batch, and before it."""


def forwards(owner: Owner) -> list[tuple[type, str, Callable[..., Any]]]:
    """Return what is to stand for methods of torch's classes."""
    attention, layer, encoder = (
        torch.nn.MultiheadAttention,
        torch.nn.TransformerEncoderLayer,
        torch.nn.TransformerEncoder,
    )
    return [
        (attention, "forward", _attention(owner, attention.forward)),
        (layer, "forward", _encoder(owner, layer.forward)),
        (encoder, "forward", _encoder(owner, encoder.forward)),
    ]


def _attention(owner: Owner, original: Callable[..., Any]) -> Callable[..., Any]:
    def forward(self: torch.nn.MultiheadAttention, *args: Any, **kwargs: Any) -> Any:
        if not owner.busy():
            return original(self, *args, **kwargs)
        query = args[0] if args else kwargs.get("query")
        key = args[1] if len(args) > 1 else kwargs.get("key")
        layout = _FIRST if self.batch_first or getattr(query, "ndim", 3) == 2 else _SECOND
        return owner.opaque(query, key, (layout, layout), lambda: original(self, *args, **kwargs))

    return _dressed(forward, original)


def _encoder(owner: Owner, original: Callable[..., Any]) -> Callable[..., Any]:
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not owner.busy() or not _ours(self):
            return original(self, *args, **kwargs)
        source = args[0] if args else kwargs.get("src")
        attention = (self.layers[0] if hasattr(self, "layers") else self).self_attn
        layout = _FIRST if attention.batch_first or getattr(source, "ndim", 3) == 2 else _SECOND
        return owner.opaque(
            source, source, (layout, layout), lambda: original(self, *args, **kwargs)
        )

    return _dressed(forward, original)


def _ours(module: Any) -> bool:
    """Tell whether only torch's own layers are inside, whose attention is known to be self."""
    layers = list(module.layers) if hasattr(module, "layers") else [module]
    return bool(layers) and all(isinstance(one, torch.nn.TransformerEncoderLayer) for one in layers)


def functional(owner: Owner, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what is to stand for `torch.nn.functional.multi_head_attention_forward`."""
    state = threading.local()
    copy = _copy(original, state)

    def multi_head_attention_forward(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(_NAMES, args, strict=False)), **kwargs}

        def call() -> Any:
            tensors = [one for one in given.values() if isinstance(one, torch.Tensor)]
            if not given.get("need_weights", True) or torch.overrides.has_torch_function(tensors):
                return original(*args, **kwargs)
            outer = getattr(state, "end", None)
            state.end = lambda: owner.written(_seen(given))
            try:
                result = (copy or original)(*args, **kwargs)
                _end(state)
                return result
            finally:
                state.end, state.scored = outer, False

        if not owner.busy():
            return call()
        query, key = given.get("query"), given.get("key")
        layouts = _SECOND if getattr(query, "ndim", 3) == 3 else _FIRST
        return owner.opaque(query, key, (layouts, layouts), call)

    return _dressed(multi_head_attention_forward, original)


def _end(state: threading.local) -> None:
    end, state.end = getattr(state, "end", None), None
    if end is not None:
        end()


def _copy(original: Any, state: threading.local) -> Callable[..., Any] | None:
    """Return the same code with another `linear`: the one after the softmax ends the chain."""
    code = getattr(original, "__code__", None)
    if code is None or original.__closure__ or not {"softmax", "linear"} <= set(code.co_names):
        return None

    def softmax(*args: Any, **kwargs: Any) -> Any:
        state.scored = True
        return F.softmax(*args, **kwargs)

    def linear(*args: Any, **kwargs: Any) -> Any:
        if getattr(state, "scored", False):
            state.scored = False
            _end(state)
        return F.linear(*args, **kwargs)

    names = {**vars(F), "softmax": softmax, "linear": linear}
    copy = types.FunctionType(code, names, original.__name__, original.__defaults__)
    copy.__kwdefaults__ = original.__kwdefaults__
    return copy


def _seen(given: dict[str, Any]) -> Seen:
    query, key, heads = given["query"], given["key"], given["num_heads"]
    width = query.shape[-1] // heads
    more = (given.get("bias_k") is not None) + bool(given.get("add_zero_attn"))
    masked = given.get("attn_mask") is not None or given.get("key_padding_mask") is not None
    return Seen(
        batch=query.shape[1] if query.dim() == 3 else 1,
        heads=heads,
        kv_heads=heads,
        q_len=query.shape[0],
        kv_len=key.shape[0] + more,
        head_dim=width,
        v_head_dim=width,
        causal=False,
        mask="tensor" if masked else "none",
        dtype=name_of(query.dtype),
    )


def _dressed(new: Callable[..., Any], original: Any) -> Callable[..., Any]:
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(new, name, getattr(original, name, None))
    new.__wrapped__ = original  # type: ignore[attr-defined]
    return new
