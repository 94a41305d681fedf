"""What the producers of traces call their events, and what we call them."""

from __future__ import annotations

from genscope.trace.model import Kind

KINDS: dict[str, Kind] = {
    "cpu_op": Kind.CPU_OP,
    "operator": Kind.CPU_OP,
    "user_annotation": Kind.ANNOTATION,
    "python_function": Kind.PYTHON,
    "python": Kind.PYTHON,
    "cuda_runtime": Kind.RUNTIME,
    "cuda_driver": Kind.RUNTIME,
    "hip_runtime": Kind.RUNTIME,
    "hip_driver": Kind.RUNTIME,
    "xpu_runtime": Kind.RUNTIME,
    "xpu_driver": Kind.RUNTIME,
    "mtia_runtime": Kind.RUNTIME,
    "privateuse1_runtime": Kind.RUNTIME,
    "privateuse1_driver": Kind.RUNTIME,
    "runtime": Kind.RUNTIME,
    "kernel": Kind.KERNEL,
    "concurrent_kernel": Kind.KERNEL,
    "gpu_memcpy": Kind.MEMCPY,
    "memcpy": Kind.MEMCPY,
    "gpu_memset": Kind.MEMSET,
    "memset": Kind.MEMSET,
    "gpu_user_annotation": Kind.DEVICE_ANNOTATION,
    "overhead": Kind.OVERHEAD,
    "trace": Kind.TRACE,
}
"""Category of an event, in lower case (2021 wrote them with capitals), to its kind.

An op whose name begins as those of our collectors (`genscope.schema`) is an annotation.
"""

ANNOTATION_OPS_2021 = ("ProfilerStep#", "Optimizer.", "enumerate(DataLoader)#")
"""Traces of 2021 have no user_annotation: these names, written as operators, are ones."""

LAUNCH_WORDS = (
    "LaunchKernel",
    "KernelLaunch",
    "LaunchCooperativeKernel",
    "ModuleLaunch",
    "GraphLaunch",
    "ExtLaunch",
)
"""Parts of the names of runtime calls that put a kernel on a device."""

GRAPH_LAUNCH_WORD = "GraphLaunch"


def kind_of(category: str) -> Kind:
    """Return the kind of an event of `category`; OTHER where nothing is known of it."""
    return KINDS.get(category.lower(), Kind.OTHER)
