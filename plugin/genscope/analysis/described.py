"""What the annotations of a trace say of its run as a whole, for the overview."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from genscope.analysis.annotations import annotations_of
from genscope.analysis.results import ComponentInfo, Workload
from genscope.schema import Workload as Recorded
from genscope.trace.model import Trace


def described(trace: Trace) -> dict[str, Any]:
    """Fields of `results.Overview` that the annotations fill; without a document only the calls."""
    annotated = annotations_of(trace)
    document = annotated.document
    calls = np.unique(annotated.components.component, return_counts=True)
    count = dict(zip(calls[0].tolist(), calls[1].tolist(), strict=True))
    known = document.workload != Recorded()
    return {
        "workload": Workload(**asdict(document.workload)) if known else None,
        "components": [
            ComponentInfo(
                name=component.name,
                class_name=component.class_name or None,
                parameters=component.parameters,
                parameter_bytes=component.parameter_bytes,
                dtype=component.dtype,
                device=component.device,
                calls=count.get(component.id, 0),
            )
            for component in document.components
        ],
        "peak_memory_bytes": document.peak_memory_bytes,
        "libraries": dict(document.libraries),
        "notes": list(document.notes),
    }
