"""What encloses an op: user annotations and nn.Module frames, by name.

They are asked where neither an op nor the ops around it have a rule. A module that holds several
kinds of work (an attention block with its projections, an MLP, a whole model) has none.
"""

from __future__ import annotations

import re

from genscope.analysis.categories.vocabulary import Patterns, Row, Strength

ANNOTATIONS: tuple[Row, ...] = (
    ("Optimizer", "optimizer step", r"^optimizer[.\-_ ]?step"),
    (
        "Communication",
        "collective",
        r"^(?:nccl|rccl|gloo|mpi|ucc|xccl|hccl):|^_?c10d\w{0,20}::|^record_param_comms$",
    ),
)
"""Rows on the (lower-cased) annotation that decide for everything inside."""

WEAKER_ANNOTATIONS: tuple[Row, ...] = (
    ("Optimizer", "optimizer", r"^optimizer\.zero_grad#"),
    ("Communication", "collective", r"^fsdp::(?:all_gather|reduce_scatter|all_reduce)(?!_copy)"),
)
"""Rows on annotations whose inner ops know better."""

MODULES: tuple[Row, ...] = (
    ("Normalization/GroupNorm", "GroupNorm", r"GroupNorm(?!.{0,20}Linear)"),
    ("Normalization", "norm", r"Norm(?:\dd|Gated|FP32|32)?$"),
    ("Elementwise", "rotary embedding", r"Rotary|RoPE|Rope(?![a-z])"),
    (
        "Embedding",
        "Embedding",
        r"(?:^|Vocab|Vocabulary|Token|Word|Parallel|Position(?:al)?|^Learned\w{0,20})"
        r"Embedding(?:Bag|1D|4bit|8bit)?$",
    ),
    ("Linear", "Linear", r"(?<!Norm)Linear(?:Layer|FP8|4bit|8bitLt|NF4)?$|^Conv1D$"),
    ("Convolution", "convolution", r"Conv(?:Transpose|olution)?(?:\dd)$|CausalConv\dd$"),
    ("Softmax", "Softmax", r"Softmax(?:2d)?$|CrossEntropy"),
    (
        "Elementwise",
        "activation",
        r"(?:GELU|GeLU|Gelu|SiLU|Silu|ReLU6?|ReLU|Mish|Tanh|Sigmoid|Softplus|Swish|AndMul"
        r"|Activation)$",
    ),
    ("Elementwise", "dropout", r"Dropout(?:\dd)?$|DropPath$"),
    ("Elementwise", "resampling", r"^Upsample$|^Upsampling\w{0,10}$"),
    ("Memory", "layout", r"^(?:Pixel(?:Uns|S)huffle|Flatten|Unflatten|Rearrange|\w{0,20}Pad\dd)$"),
    ("Other", "pooling", r"(?:Max|Avg|LP)Pool\dd$"),
    ("Other", "sampling", r"^(?:TopK\w{0,10})?Sampler$"),
)
"""Rows on the class of a module, in its own case."""

_MODULE = re.compile(r"^nn\.Module: (.{1,200}?)(?:_\d{1,9})?$")

DECIDING = Patterns(
    "annotation", ANNOTATIONS, {"Optimizer": Strength.SCOPE, "Communication": Strength.SCOPE}
)
WEAKER = Patterns("annotation", WEAKER_ANNOTATIONS)
CLASSES = Patterns("module", MODULES)


def module_class(name: str) -> str | None:
    """Return the class in `nn.Module: Class_3`, None if `name` is no such frame."""
    found = _MODULE.match(name)
    return found[1] if found else None
