"""The paper's arithmetic intensity: FLOPs over the capacity that a model's parameters take."""

from __future__ import annotations

import numpy as np

from genscope.analysis.annotations import annotations_of
from genscope.analysis.flops.lines import COUNTED, Lines
from genscope.analysis.roofline.results import Capacity


def capacities(lines: Lines) -> list[Capacity]:
    """Components whose parameters were annotated, most FLOPs first."""
    annotated = annotations_of(lines.trace)
    names, group = lines.groups("component")
    counts = np.unique(annotated.components.component, return_counts=True)
    calls = dict(zip(counts[0].tolist(), counts[1].tolist(), strict=True))
    found = []
    for component in annotated.document.components:
        size = component.parameter_bytes
        if not size or component.name not in names:
            continue
        mine = (group == names.index(component.name)) & (lines.kind == COUNTED)
        flops = int(lines.flops[mine].sum())
        both = mine & lines.has_moved
        moved = int(lines.moved[both].sum())
        times = max(int(calls.get(component.id, 0)), 1)
        found.append(
            Capacity(
                component=component.name,
                parameters=component.parameters,
                parameter_bytes=size,
                calls=int(calls.get(component.id, 0)),
                flops=flops,
                intensity=flops / size,
                intensity_per_call=flops / size / times,
                moved_intensity=int(lines.flops[both].sum()) / moved if moved else None,
            )
        )
    return sorted(found, key=lambda one: -one.flops)
