"""What the suite's models are, measured from the models as they are built: the paper's Table I.

At paper scale they are built on the meta device, so this takes seconds, and no memory to speak of.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping

from torch import nn

from genscope.analysis.paper.results import Component, ModelTaxonomy, Taxonomy
from genscope.suite.models.base import Scale, parameters
from genscope.suite.registry import NAMES, load

_GENERATORS = ("unet", "transformer", "decoder", "llama")
"""Components that generate, by name; the first that a model has."""
_QUERIES = ("to_q", "q_proj", "query", "q", "to_qkv", "qkv")
"""What the projection to queries is called, in the models of the suite and their libraries."""
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def taxonomy(names: Iterable[str] = NAMES, scale: Scale = "paper") -> Taxonomy:
    """Build models on the meta device, and measure them."""
    return Taxonomy(
        models=[_measured(name, scale) for name in names],
        libraries={
            name: str(sys.modules[name].__version__)
            for name in ("torch", "diffusers", "transformers")
            if name in sys.modules
        },
    )


def _measured(name: str, scale: Scale) -> ModelTaxonomy:
    model = load(name)
    components = model.build(scale, device="meta")
    task = model.tasks[scale]
    main = next((one for one in _GENERATORS if one in components), next(iter(components)))
    own = [call for call in model.calls(scale, task) if call.component == main]
    spatial = {call.q_len for call in own if call.axis == "spatial"}
    return ModelTaxonomy(
        model=name,
        scale=scale,
        parameters=sum(parameters(components).values()),
        main=main,
        components=list(_components(components)),
        steps=task.steps,
        image_size=task.image_size,
        frames=task.frames,
        attention_sides=sorted(
            (math.isqrt(one) for one in spatial if math.isqrt(one) ** 2 == one), reverse=True
        ),
        lengths=sorted({call.q_len for call in own}),
    )


def _components(components: Mapping[str, nn.Module]) -> Iterator[Component]:
    """Measure each component; what two share counts for the first."""
    counts = parameters(components)
    seen: set[int] = set()
    for name, module in components.items():
        widths, channels, layers = set(), set(), set()
        for path, part in module.named_modules():
            if id(part) in seen:
                continue
            seen.add(id(part))
            if isinstance(part, _CONVOLUTIONS):
                channels.add(part.out_channels)
            elif (width := _attention_width(part)) is not None:
                widths.add(width)
                layers.add(path.rpartition(".")[0])
        yield Component(
            name=name,
            parameters=counts[name],
            layers=len(layers),
            widths=sorted(widths),
            channels=sorted(channels),
        )


def _attention_width(module: nn.Module) -> int | None:
    """Return what an attention module takes in, None for another module."""
    for name in _QUERIES:
        projection = getattr(module, name, None)
        if isinstance(projection, nn.Linear):
            return projection.in_features
    return None
