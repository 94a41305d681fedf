"""Switching the attention of transformers and diffusers models, and back exactly.

Neither library is imported here: models of theirs exist only where they were imported before.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from typing import Any, Protocol

from torch import nn

# Diffusers' processors through scaled_dot_product_attention, and the unfused one of the same
# fields and weights. All stand in diffusers.models.attention_processor.
_UNFUSED = {
    "AttnProcessor2_0": "AttnProcessor",
    "XFormersAttnProcessor": "AttnProcessor",
    "AttnAddedKVProcessor2_0": "AttnAddedKVProcessor",
    "XFormersAttnAddedKVProcessor": "AttnAddedKVProcessor",
    "CustomDiffusionAttnProcessor2_0": "CustomDiffusionAttnProcessor",
    "IPAdapterAttnProcessor2_0": "IPAdapterAttnProcessor",
}
_FUSED = {
    "AttnProcessor": "AttnProcessor2_0",
    "XFormersAttnProcessor": "AttnProcessor2_0",
    "AttnAddedKVProcessor": "AttnAddedKVProcessor2_0",
    "XFormersAttnAddedKVProcessor": "AttnAddedKVProcessor2_0",
    "CustomDiffusionAttnProcessor": "CustomDiffusionAttnProcessor2_0",
    "IPAdapterAttnProcessor": "IPAdapterAttnProcessor2_0",
}
UNFUSED_PROCESSORS = (
    "AttnProcessor",
    "AttnAddedKVProcessor",
    "CustomDiffusionAttnProcessor",
    "IPAdapterAttnProcessor",
    "SlicedAttnProcessor",
    "SlicedAttnAddedKVProcessor",
)
PROCESSORS = "diffusers.models.attention_processor"
TRANSFORMERS = "transformers.modeling_utils"

_MISSING = object()
_IMPLEMENTATION = "_attn_implementation_internal"


class TakesNotes(Protocol):
    """Where remarks go."""

    def note(self, text: str) -> None:
        """Add a remark."""


def compiled(module: nn.Module) -> bool:
    """Whether a module is what torch.compile or `Module.compile` made of one."""
    optimized = getattr(sys.modules.get("torch._dynamo.eval_frame"), "OptimizedModule", None)
    if optimized is not None and isinstance(module, optimized):
        return True
    return getattr(module, "_compiled_call_impl", None) is not None


def switch(
    eager: bool, every: bool, modules: Iterable[nn.Module], ran: TakesNotes, stack: ExitStack
) -> None:
    """Switch models to their unfused path, or else to the one through torch's function.

    Args:
        eager: Which of the two.
        every: Switch what is alive or built before `stack` closes, in place of `modules`. To the
            fused path nothing is switched unnamed: whoever set another one may have had reasons.
        modules: All modules of the models that were named.
        ran: Takes note of what could not be switched.
        stack: Restores everything when it closes.
    """
    back = _Undo()
    stack.callback(back.restore)
    if every:
        if eager:
            modules = _alive()
            handle = nn.modules.module.register_module_module_registration_hook(
                lambda _, __, built: _built(built, back)
            )
            stack.callback(handle.remove)
        else:
            return
    modules = list(modules)
    _switch_transformers(modules, "eager" if eager else "sdpa", back, ran)
    for module in modules:
        if not _switch_processor(module, _UNFUSED if eager else _FUSED, back) and eager:
            _note_fused(module, ran)
        if not eager:
            _native_backend(module, back)


class _Undo:
    """What has been changed, and how it was. Keeps no model alive."""

    def __init__(self) -> None:
        self._changed: list[tuple[weakref.ref[Any], str, object]] = []

    def keep(self, owner: object, field: str) -> None:
        """Remember a field as it stands in the owner's own dictionary."""
        held = vars(owner)
        if field not in held and isinstance(owner, nn.Module) and field in owner._modules:
            old: object = owner._modules[field]
        else:
            old = held.get(field, _MISSING)
        self._changed.append((weakref.ref(owner), field, old))

    def restore(self) -> None:
        """Put everything back, the latest change first."""
        while self._changed:
            reference, field, old = self._changed.pop()
            owner = reference()
            if owner is None:
                continue
            if isinstance(owner, nn.Module):
                # Takes care of processors that are modules themselves, and of their order.
                if not isinstance(old, nn.Module):
                    owner._modules.pop(field, None)
                setattr(owner, field, old)
            elif old is _MISSING:
                vars(owner).pop(field, None)
            else:
                vars(owner)[field] = old


def _alive() -> list[nn.Module]:
    """Return the modules that a library of ours could switch, among all that are alive."""
    if TRANSFORMERS not in sys.modules and PROCESSORS not in sys.modules:
        return []
    pretrained = getattr(sys.modules.get(TRANSFORMERS), "PreTrainedModel", None)
    found = []
    for item in gc.get_objects():
        kind = type(item)
        if issubclass(kind, nn.Module) and (
            (pretrained is not None and issubclass(kind, pretrained))
            or hasattr(kind, "set_processor")
        ):
            found.append(item)
    return found


def _built(module: nn.Module, back: _Undo) -> None:
    """Switch a module to the unfused path at the moment it becomes part of a model."""
    _switch_processor(module, _UNFUSED, back)
    config = getattr(module, "config", None)
    # transformers keeps the choice in the configuration, which all parts of a model share.
    if getattr(config, _IMPLEMENTATION, None) not in (None, "eager"):
        back.keep(config, _IMPLEMENTATION)
        vars(config)[_IMPLEMENTATION] = "eager"


def _switch_transformers(
    modules: list[nn.Module], implementation: str, back: _Undo, ran: TakesNotes
) -> None:
    pretrained = getattr(sys.modules.get(TRANSFORMERS), "PreTrainedModel", None)
    if pretrained is None:
        return
    models = [module for module in modules if isinstance(module, pretrained)]
    kept: set[int] = set()
    for model in models:
        for config in _configs(model.config):
            if id(config) not in kept:
                kept.add(id(config))
                back.keep(config, _IMPLEMENTATION)
    for model in models:
        if getattr(model.config, "_attn_implementation", None) == implementation:
            continue
        # These where this version of the library cannot, or not for this model.
        with suppress(AttributeError, ValueError, ImportError):
            model.set_attn_implementation(implementation)
        if getattr(model.config, "_attn_implementation", None) != implementation:
            ran.note(f"{type(model).__name__} cannot be switched to its {implementation} path")


def _configs(config: Any) -> list[Any]:
    """Return a configuration and those within it."""
    found = [config]
    for name in getattr(config, "sub_configs", None) or ():
        inner = getattr(config, name, None)
        if inner is not None and hasattr(inner, "__dict__"):
            found += _configs(inner)
    return found


def _switch_processor(module: nn.Module, counterparts: dict[str, str], back: _Undo) -> bool:
    """Give a diffusers attention its processor of the other kind; True if there is one."""
    old = _processor(module)
    source = sys.modules.get(PROCESSORS)
    if old is None or source is None or type(old).__module__ != PROCESSORS or not _alike(module):
        return False
    wanted = getattr(source, counterparts.get(type(old).__name__, ""), None)
    if wanted is None:
        return False
    # The two differ in how they compute, not in what they hold: the same weights, not copies.
    new = wanted.__new__(wanted)
    new.__dict__ = dict(vars(old))
    back.keep(module, "processor")
    module.set_processor(new)  # type: ignore[operator]
    return True


def _alike(module: nn.Module) -> bool:
    """Whether the fused and the unfused processors compute the same for this attention."""
    # Only the fused ones normalise q and k, and only the unfused ones heed another scale.
    normalised = getattr(module, "norm_q", None) or getattr(module, "norm_k", None)
    return normalised is None and getattr(module, "scale_qk", True)


def _native_backend(module: nn.Module, back: _Undo) -> None:
    """Lead an attention that has a backend of its own back to torch's function."""
    processor = _processor(module)
    dispatch = sys.modules.get("diffusers.models.attention_dispatch")
    if dispatch is None or not hasattr(type(processor), "_attention_backend"):
        return
    back.keep(processor, "_attention_backend")
    vars(processor)["_attention_backend"] = dispatch.AttentionBackendName.NATIVE


def _note_fused(module: nn.Module, ran: TakesNotes) -> None:
    processor = _processor(module)
    name = type(processor).__name__
    if processor is None or name in UNFUSED_PROCESSORS:
        return
    ran.note(f"diffusers has no unfused counterpart of {name}; it runs as torch's math")


def _processor(module: nn.Module) -> object | None:
    if not hasattr(type(module), "set_processor"):
        return None
    return getattr(module, "processor", None)
