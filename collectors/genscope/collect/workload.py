"""What was run, told from the model, the arguments of its calls, and shapes. No value is read."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import torch
from torch import nn

from genscope.collect.components import DENOISERS, Found, Part, unwrapped, walk
from genscope.schema import Workload

_LIBRARIES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "peft",
    "lightning",
    "deepspeed",
    "triton",
    "flash_attn",
    "xformers",
    "sageattention",
    "numpy",
)
_FIELDS = {field.name for field in fields(Workload)}


def given(workload: Workload | Mapping[str, Any] | None) -> Workload:
    """Return what the user says about the workload; keys that are no fields become `extra`."""
    if workload is None or isinstance(workload, Workload):
        return workload or Workload()
    extra = {str(key): value for key, value in workload.items() if key not in _FIELDS}
    known = {key: value for key, value in workload.items() if key in _FIELDS}
    known["extra"] = {**dict(known.get("extra") or {}), **extra}
    if known.get("image_size") is not None:
        height, width = known["image_size"]
        known["image_size"] = (int(height), int(width))
    return Workload(**known)


def libraries() -> dict[str, str]:
    """Versions of the libraries that are imported, of those that decide what runs."""
    versions = {name: getattr(sys.modules.get(name), "__version__", None) for name in _LIBRARIES}
    return {name: str(version) for name, version in versions.items() if version is not None}


def peak_memory() -> int | None:
    """Most bytes that were allocated at a time on the current device; None without one."""
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call] # torch leaves it untyped
        return None
    return int(torch.cuda.max_memory_allocated())


def component_facts(module: nn.Module, others: Iterable[nn.Module] = ()) -> dict[str, Any]:
    """Class, size, dtype and device of a component, as fields of `Component`.

    What lies in `others`, components within this one, is not counted.
    """
    facts: dict[str, Any] = {"class_name": type(unwrapped(module)).__name__}
    try:
        weights = list(_weights(module, {id(other) for other in others} - {id(module)}))
        facts["parameters"] = sum(weight.numel() for weight in weights)
        facts["parameter_bytes"] = sum(weight.numel() * weight.element_size() for weight in weights)
        if weights:
            facts["dtype"] = _dtype(weights[0])
            facts["device"] = str(weights[0].device)
    except Exception:
        # Weights of a lazy or sharded module that do not say how many they are.
        facts.setdefault("parameters", None)
    return facts


def _weights(module: nn.Module, others: set[int]) -> Iterator[nn.Parameter]:
    seen: set[int] = set()
    for _, inner in walk(module, others):
        for weight in inner._parameters.values():
            if weight is not None and id(weight) not in seen:
                seen.add(id(weight))
                yield weight


def of_found(found: Found) -> dict[str, Any]:
    """Fields of the workload that the model alone tells."""
    if not found.parts:
        return {}
    named = [part for part in found.parts if part.name.startswith(DENOISERS)]
    main = (named or found.parts)[0] if len(found.parts) > 1 else found.parts[0]
    model = found.pipelines[0] if found.pipelines else unwrapped(found.parts[-1].module)
    weight = next(iter(main.module.parameters()), None)
    facts: dict[str, Any] = {"model": type(model).__name__}
    if weight is not None:
        facts["dtype"] = _dtype(weight)
        facts["device"] = _device(weight.device)
    return facts


def of_pipeline_call(call: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the workload in the arguments of a pipeline's call (`args` with the pipeline)."""
    bound = inspect.signature(call).bind_partial(*args, **kwargs)
    bound.apply_defaults()
    values = bound.arguments
    facts: dict[str, Any] = {
        "steps": _whole(values.get("num_inference_steps")),
        "frames": _whole(values.get("num_frames")),
    }
    height, width = _whole(values.get("height")), _whole(values.get("width"))
    if height is not None and width is not None:
        facts["image_size"] = (height, width)
    facts["batch"] = _prompts(values)
    return facts


def of_generation(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the workload in the arguments of `generate`."""
    return {"steps": _whole(kwargs.get("max_new_tokens"))}


def of_input(part: Part, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the workload in the tensors that a component is called with."""
    facts: dict[str, Any] = {
        "training": bool(unwrapped(part.module).training and torch.is_grad_enabled())
    }
    values: dict[str, Any] = dict(kwargs)
    if args:
        values.setdefault(str(getattr(part.module, "main_input_name", "")), args[0])
    tokens, pixels = values.get("input_ids"), values.get("pixel_values")
    if isinstance(tokens, torch.Tensor) and tokens.dim() == 2:
        facts["prompt_length"] = int(tokens.shape[1])
        if part.pipeline is None:
            facts["batch"] = int(tokens.shape[0])
    if isinstance(pixels, torch.Tensor) and part.pipeline is None:
        facts.update(_of_images(pixels, frames_first=True))
    if part.pipeline is not None and getattr(part.pipeline, "vae", None) is None:
        sample = values.get("sample", args[0] if args else None)
        is_denoiser = part.scheduler is not None and not _has_codes(part.pipeline)
        if is_denoiser and isinstance(sample, torch.Tensor) and sample.dim() == 4:
            facts["image_size"] = (int(sample.shape[-2]), int(sample.shape[-1]))
    return facts


def of_output(part: Part, method: str, result: Any) -> dict[str, Any]:
    """Fields of the workload in what a component gives: the images of a decoder."""
    if method != "decode":
        return {}
    images = getattr(result, "sample", result[0] if isinstance(result, tuple) else result)
    facts = _of_images(images) if isinstance(images, torch.Tensor) else {}
    if part.pipeline is not None:
        # A decoder may be given frames, or parts of a batch.
        facts.pop("batch", None)
    return facts


def _of_images(images: torch.Tensor, *, frames_first: bool = False) -> dict[str, Any]:
    """Size of images (batch, channels, height, width) or videos, channels or frames first."""
    if images.dim() not in (4, 5):
        return {}
    facts: dict[str, Any] = {
        "batch": int(images.shape[0]),
        "image_size": (int(images.shape[-2]), int(images.shape[-1])),
    }
    if images.dim() == 5:
        facts["frames"] = int(images.shape[1 if frames_first else 2])
    return facts


def _prompts(values: Mapping[str, Any]) -> int | None:
    """How many results a pipeline was asked for."""
    prompt, embeds = values.get("prompt"), values.get("prompt_embeds")
    if isinstance(prompt, str):
        count = 1
    elif isinstance(prompt, list | tuple):
        count = len(prompt)
    elif isinstance(embeds, torch.Tensor):
        count = int(embeds.shape[0])
    else:
        return None
    each = values.get("num_images_per_prompt", values.get("num_videos_per_prompt"))
    return count * (_whole(each) or 1)


def _has_codes(pipe: Any) -> bool:
    return any(getattr(pipe, name, None) is not None for name in ("vqvae", "vqgan", "movq"))


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _dtype(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _device(device: torch.device) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return device.type
