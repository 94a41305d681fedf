"""Which modules are components, and what they are called.

- A diffusers pipeline: each module of `pipe.components`, by the name that the pipeline gives it.
  Of several pipelines in a list, the first keeps the names; the denoiser of a later one that
  enlarges images is `super_resolution_1`, …, and other parts of later ones are numbered: `vae_2`.
- A model of transformers is one component, named after its model type (`llama`, `t5`), unless
  parts of it are trained or run apart: the encoder of an encoder-decoder is `text_encoder` (or
  `encoder`, if it takes no text) and all else `decoder`; vision and text towers beside each other
  are `image_encoder` and `text_encoder`; the vision tower of a language model is `image_encoder`.
- A model of diffusers alone is `unet`, `transformer`, `vae`, …
- Any other module is one component, named after its class in snake case; but where at least two
  of its children have names such as `unet`, `vae` or `text_encoder`, these are components too.
- A mapping gives the names itself. Its values are modules, pipelines, schedulers or, where a model
  is given too, attribute paths within it.

Nothing but torch is imported here: what another library made is recognised by its attributes.
"""

from __future__ import annotations

import gc
import re
import sys
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

DENOISERS = ("unet", "transformer", "prior", "decoder", "controlnet", "denoiser", "dit")
"""How the names of what runs once a step begin, the denoiser proper first."""

OUTSIDE_STEPS = (
    "text_encoder",
    "image_encoder",
    "prompt_encoder",
    "encoder",
    "vae",
    "vqvae",
    "vqgan",
    "vqmodel",
    "movq",
    "safety_checker",
    "feature_extractor",
    "image_normalizer",
    "watermarker",
    "vocoder",
    "audio_encoder",
    "latent_upsampler",
)
"""How the names of what runs before or after the steps of a pipeline begin."""

_WELL_KNOWN = (*OUTSIDE_STEPS, "unet", "transformer", "prior", "denoiser")

_MODEL_TYPES = (
    ("UNet", "unet"),
    ("ControlNet", "controlnet"),
    ("Autoencoder", "vae"),
    ("ConsistencyDecoderVAE", "vae"),
    ("VQModel", "vqvae"),
    ("Transformer", "transformer"),
    ("TextModel", "text_encoder"),
    ("TextEncoder", "text_encoder"),
    ("VisionModel", "image_encoder"),
    ("EncoderModel", "text_encoder"),
)
"""Parts of class names of diffusers and transformers, and what such a model is called."""

_TOWERS = {
    "vision_model": "image_encoder",
    "vision_tower": "image_encoder",
    "visual": "image_encoder",
    "audio_tower": "audio_encoder",
}
"""Attributes of transformers' models that hold an encoder trained apart."""

_TOWERS_THEMSELVES = ("text_encoder", "image_encoder")

_WRAPPED = re.compile(
    r"(?:^|(?<=\.))(?:module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?:\.|$)"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WRAPPERS = {
    "DistributedDataParallel": "module",
    "DataParallel": "module",
    "OptimizedModule": "_orig_mod",
    "FullyShardedDataParallel": "_fsdp_wrapped_module",
    "CheckpointWrapper": "_checkpoint_wrapped_module",
}
_PIPELINES = "diffusers.pipelines.pipeline_utils"


class Part:
    """A module that is a component. It is not kept alive."""

    def __init__(
        self, name: str, module: nn.Module, pipeline: Any = None, scheduler: Any = None
    ) -> None:
        self.name = name
        self._module = weakref.ref(module)
        self._pipeline = _reference(pipeline)
        self.scheduler = scheduler
        """What counts its steps."""

    @property
    def module(self) -> nn.Module:
        """The module. Raises ReferenceError where it is gone."""
        module = self._module()
        if module is None:
            raise ReferenceError(f"the component {self.name} is gone")
        return module

    def holds(self, module: nn.Module) -> bool:
        """Whether `module` is this component."""
        return self._module() is module

    @property
    def is_gone(self) -> bool:
        """Whether the module is no more."""
        return self._module() is None

    @property
    def pipeline(self) -> Any:
        """The pipeline that it runs in, if it has one."""
        return self._pipeline()

    @pipeline.setter
    def pipeline(self, pipeline: Any) -> None:
        self._pipeline = _reference(pipeline)


@dataclass(slots=True)
class Found:
    """What is to be annotated."""

    parts: list[Part] = field(default_factory=list)
    _pipelines: list[Callable[[], Any]] = field(default_factory=list)

    @property
    def pipelines(self) -> list[Any]:
        """The pipelines that are still there."""
        return [pipe for one in self._pipelines if (pipe := one()) is not None]

    def add_pipeline(self, pipe: Any) -> None:
        """Add a pipeline, once."""
        if not any(pipe is known for known in self.pipelines):
            self._pipelines.append(_reference(pipe))

    def drop_gone(self) -> None:
        """Forget parts that are no more."""
        self.parts = [part for part in self.parts if not part.is_gone]

    def names(self) -> set[str]:
        """The names of all parts."""
        return {part.name for part in self.parts}

    def part_of(self, module: nn.Module) -> Part | None:
        """The part that `module` is."""
        return next((part for part in self.parts if part.holds(module)), None)


def find(model: Any, given: Mapping[str, Any] | None = None) -> Found:
    """Return the components of a model, a pipeline, or a list or mapping of these.

    `given` names some of them: modules, or attribute paths in the model. Whatever lies within a
    module that is named belongs to it.

    Raises:
        TypeError: where there is neither a module nor a pipeline.
    """
    found = Found()
    schedulers = []
    for name, value in (given or {}).items():
        part = _at(model, value) if isinstance(value, str) else value
        if isinstance(part, nn.Module):
            found.parts.append(Part(str(name), part))
        elif is_scheduler(part):
            schedulers.append(part)
        else:
            raise TypeError(f"component {name!r} is no module: {type(part).__name__}")
    inside = {id(module) for part in found.parts for module in part.module.modules()}
    schedulers += _add(found, model, inside)
    _join_owners(found)
    for part in found.parts:
        if part.scheduler is None and len(schedulers) == 1 and in_steps(part.name):
            part.scheduler = schedulers[0]
    return found


def _add(found: Found, model: Any, inside: set[int]) -> list[Any]:
    """Add what `model` holds, but for modules that are named already; return lone schedulers."""
    schedulers = []
    if model is None:
        return []
    if isinstance(model, nn.Module):
        _extend(found, split(model), inside)
    elif is_pipeline(model):
        _add_pipeline(found, model, inside)
    elif is_scheduler(model):
        schedulers.append(model)
    elif isinstance(model, Mapping):
        for name, value in model.items():
            if is_pipeline(value):
                _add_pipeline(found, value, inside, name=str(name))
            elif isinstance(value, nn.Module):
                _extend(found, [Part(str(name), value)], inside)
            else:
                schedulers += _add(found, value, inside)
    elif isinstance(model, Iterable):
        for value in model:
            schedulers += _add(found, value, inside)
    else:
        raise TypeError(f"neither a module nor a pipeline: {type(model).__name__}")
    return schedulers


def _extend(found: Found, parts: Iterable[Part], inside: set[int]) -> None:
    for part in parts:
        if id(part.module) not in inside and found.part_of(part.module) is None:
            part.name = _free(part.name, found.names())
            found.parts.append(part)


def _add_pipeline(found: Found, pipe: Any, inside: set[int], name: str = "") -> None:
    """Add the components of a pipeline. A `name` is that of its denoiser."""
    first = not found.pipelines
    found.add_pipeline(pipe)
    modules = pipeline_modules(pipe)
    denoiser = next((own for prefix in DENOISERS for own in modules if own.startswith(prefix)), "")
    for own, module in modules.items():
        called = own
        if name:
            called = name if own == denoiser else f"{name}_{own}"
        elif not first and own == denoiser and _enlarges(pipe):
            called = _numbered("super_resolution", found.names())
        _extend(found, [Part(called, module, pipe, _scheduler_of(pipe, own))], inside)


def pipeline_modules(pipe: Any) -> dict[str, nn.Module]:
    """The modules of a pipeline by the names that it gives them."""
    parts = {
        name: getattr(pipe, name, None) or value for name, value in dict(pipe.components).items()
    }
    return {name: value for name, value in parts.items() if isinstance(value, nn.Module)}


def _scheduler_of(pipe: Any, name: str) -> Any:
    """The scheduler that counts the steps of a component of the pipeline."""
    if not in_steps(name):
        return None
    prefix = name.split("_")[0]
    for attribute in (f"{prefix}_scheduler", "scheduler"):
        found = getattr(pipe, attribute, None)
        if is_scheduler(found):
            return found
    return None


def _join_owners(found: Found) -> None:
    """Give parts that were named as modules the pipeline that they run in, if one is alive."""
    lone = [part for part in found.parts if part.pipeline is None]
    for pipe in live_pipelines() if lone else ():
        for name, module in pipeline_modules(pipe).items():
            for part in lone:
                if part.holds(module) and part.pipeline is None:
                    part.pipeline = pipe
                    part.scheduler = _scheduler_of(pipe, name)
                    found.add_pipeline(pipe)


def split(model: nn.Module) -> list[Part]:
    """Return the components that a model consists of: itself, after those within it."""
    inner = unwrapped(model)
    name = name_of(inner)
    config = getattr(inner, "config", None)
    parts: list[Part] = []
    if getattr(config, "is_encoder_decoder", False):
        encoder = _encoder_of(inner)
        if encoder is not None:
            takes_text = getattr(inner, "main_input_name", "input_ids") == "input_ids"
            parts.append(Part("text_encoder" if takes_text else "encoder", encoder))
            name = "decoder"
    elif hasattr(config, "model_type"):
        parts += _towers(inner) if name not in _TOWERS_THEMSELVES else []
    elif not hasattr(inner, "config_name"):
        children = {
            child: module
            for child, module in inner.named_children()
            if child.startswith(_WELL_KNOWN) and any(True for _ in module.parameters())
        }
        if len(children) > 1:
            parts += [Part(child, module) for child, module in children.items()]
    return [*parts, Part(name, model)]


def _encoder_of(model: nn.Module) -> nn.Module | None:
    try:
        found = model.get_encoder()  # type: ignore[operator]
    except Exception:
        return None
    return found if isinstance(found, nn.Module) and found is not model else None


def _towers(model: nn.Module) -> list[Part]:
    """Encoders of a model that takes more than text; a text tower only beside one of images."""
    found: dict[str, nn.Module] = {}
    for holder in (model, getattr(model, "model", None)):
        for attribute, name in _TOWERS.items():
            tower = getattr(holder, attribute, None)
            if isinstance(tower, nn.Module) and tower not in found.values():
                found.setdefault(name, tower)
    text = getattr(model, "text_model", None)
    if not found:
        return []
    if isinstance(text, nn.Module):
        found["text_encoder"] = text
    return [Part(name, tower) for name, tower in found.items()]


def name_of(module: nn.Module) -> str:
    """Return what a model is called that nobody named."""
    kind = type(unwrapped(module))
    library = kind.__module__.split(".")[0]
    if library in ("diffusers", "transformers"):
        for mark, name in _MODEL_TYPES:
            # transformers' generative models have "Transformer" in no class name, but in modules.
            if mark in kind.__name__ and (library == "diffusers" or mark.endswith("Model")):
                return name
        model_type = getattr(getattr(unwrapped(module), "config", None), "model_type", None)
        if isinstance(model_type, str) and model_type:
            return model_type.replace("-", "_")
    return snake_case(kind.__name__)


def snake_case(name: str) -> str:
    """`UNetModel` → `u_net_model`."""
    return _HUMP.sub("_", name).lower()


def clean(path: str) -> str:
    """Return a qualified name without what wrappers (DDP, FSDP, torch.compile) add to it."""
    return _WRAPPED.sub("", path).rstrip(".")


def wrapped(module: nn.Module) -> nn.Module | None:
    """Return what DDP, FSDP, torch.compile or the like have wrapped in a module of theirs."""
    attribute = _WRAPPERS.get(type(module).__name__)
    return module._modules.get(attribute) if attribute else None


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the model within all such wrappers."""
    while (inner := wrapped(module)) is not None:
        module = inner
    return module


def walk(root: nn.Module, others: Collection[int] = ()) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules of `root` with their qualified names, each once, itself first.

    Modules whose id is among `others` are left out, and what lies in them.
    """
    waiting: list[tuple[str, nn.Module]] = [("", root)]
    seen = {id(root)}
    while waiting:
        path, module = waiting.pop()
        yield path, module
        children = [
            (f"{path}.{name}" if path else name, child)
            for name, child in module._modules.items()
            if child is not None and id(child) not in seen and id(child) not in others
        ]
        seen.update(id(child) for _, child in children)
        waiting += reversed(children)


def in_steps(name: str) -> bool:
    """Whether a component of a pipeline runs in its loop of steps, by its name."""
    return not name.startswith(OUTSIDE_STEPS)


def is_pipeline(value: Any) -> bool:
    """Whether a value is like a diffusers pipeline."""
    if isinstance(value, nn.Module | Mapping | type) or not callable(value):
        return False
    return isinstance(getattr(value, "components", None), Mapping)


def is_scheduler(value: Any) -> bool:
    """Whether a value is like a diffusers scheduler."""
    return (
        value is not None
        and not isinstance(value, nn.Module | type)
        and callable(getattr(value, "step", None))
        and callable(getattr(value, "set_timesteps", None))
    )


def live_pipelines() -> list[Any]:
    """Return all pipelines of diffusers that exist, none if it was not imported."""
    kind = getattr(sys.modules.get(_PIPELINES), "DiffusionPipeline", None)
    if kind is None:
        return []
    return [value for value in gc.get_objects() if issubclass(type(value), kind)]


def owner_of(module: nn.Module) -> Any:
    """Return what a module was built into: a live pipeline, the outermost module, or itself."""
    for pipe in live_pipelines():
        if any(module is part for root in pipeline_modules(pipe).values() for part in _all(root)):
            return pipe
    parents: dict[int, nn.Module] = {}
    for value in gc.get_objects():
        if issubclass(type(value), nn.Module):
            for child in (value.__dict__.get("_modules") or {}).values():
                if child is not None:
                    parents.setdefault(id(child), value)
    seen = {id(module)}
    while (parent := parents.get(id(module))) is not None and id(parent) not in seen:
        seen.add(id(parent))
        module = parent
    return module


def _all(root: nn.Module) -> Iterator[nn.Module]:
    return iter(root.modules())


def _reference(value: Any) -> Callable[[], Any]:
    return _nothing if value is None else weakref.ref(value)


def _nothing() -> None:
    return None


def _enlarges(pipe: Any) -> bool:
    return any(mark in type(pipe).__name__ for mark in ("SuperResolution", "Upscale", "Upsample"))


def _numbered(name: str, taken: set[str]) -> str:
    number = 1
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _at(model: Any, path: str) -> Any:
    for name in path.split("."):
        model = model[int(name)] if name.isdigit() else getattr(model, name)
    return model
