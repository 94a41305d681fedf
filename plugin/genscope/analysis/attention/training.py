"""Whether a trace is of training, by what only training does; and whether a loss is taken."""

from __future__ import annotations

import re

import numpy as np

from genscope.trace.model import Int64, Kind, Trace

_OPTIMIZER = re.compile(r"Optimizer\.(step|zero_grad)#")

_BACKWARD = re.compile(r"backward|(?<![a-z])bwd(?![a-z])|layer_?norm_?grad|wgrad", re.IGNORECASE)
_CONVOLUTION = re.compile(r"conv|implicit_?gemm|igemm|winograd|xdlops", re.IGNORECASE)
"""Of a transposed convolution, forward is the backward kernel of a plain one."""

_LOSS = re.compile(
    r"aten::(cross_entropy_loss|nll_loss(2d|_nd)?(_forward)?)|\w*cross_?entropy\w*", re.IGNORECASE
)


def is_training(trace: Trace) -> bool:
    """Whether gradients are made, or an optimizer steps: by ops, annotations or kernels."""
    if "training" not in trace.derived:
        trace.derived["training"] = _is_training(trace)
    found: bool = trace.derived["training"]
    return found


def _is_training(trace: Trace) -> bool:
    if trace.links.in_backward.any():
        return True
    events = trace.events
    told = np.flatnonzero(events.is_kind(Kind.ANNOTATION, Kind.CPU_OP))
    if any(_OPTIMIZER.match(text) for text in _names(trace, told)):
        return True
    kernels = np.flatnonzero(events.kind == Kind.KERNEL)
    return any(
        _BACKWARD.search(text) and not _CONVOLUTION.search(text) for text in _names(trace, kernels)
    )


def loss_of(trace: Trace) -> str | None:
    """Name of the op that compares scores over a vocabulary or classes with what is right.

    None where there is none. Training and evaluation do that; what generates does not know what
    is right.
    """
    ops = np.flatnonzero(trace.events.kind == Kind.CPU_OP)
    return next((text for text in _names(trace, ops) if _LOSS.fullmatch(text)), None)


def _names(trace: Trace, rows: Int64) -> list[str]:
    return [trace.strings[index][:1000] for index in np.unique(trace.events.name[rows]).tolist()]
