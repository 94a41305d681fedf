"""What the paper and others state, figure by figure; and which claims are about which figure."""

from __future__ import annotations

from genscope.analysis.paper.claims import Stated, paper
from genscope.analysis.paper.panels import About, Cited, CitedModel

_TABLE_I = ("imagen", "stable-diffusion", "muse", "parti")

ABOUT = (
    About(
        id="taxonomy",
        ref="Table I",
        title="The models",
        caption="Measured from the models as they are built at paper scale, without a run; what "
        "the paper prints stands apart.",
        claims=["parameters", "layers", "widths", "resolutions"],
    ),
    About(
        id="quality",
        ref="Figure 4",
        title="Quality against parameters",
        caption="Cited, not measured: zero-shot FID on COCO and parameters, as each model's "
        "authors publish them. Less of both is better. Random weights have no quality.",
        claims=["quality"],
    ),
    About(
        id="roofline",
        ref="Figure 5",
        title="Arithmetic intensity",
        caption="FLOPs that ops with a known count reach in a second, against FLOPs over the bytes "
        "of all parameters, which is the paper's intensity. Bounds are judged by the bytes that "
        "ops move, beside the ridge of the device.",
        claims=["intensity", "bound"],
    ),
    About(
        id="operators",
        ref="Figure 7",
        title="Operators, baseline and fused",
        caption="Time by category: kernels, copies and sets on the device, added up, or CPU self "
        "time where there is no device. 100 % is all time of the model's baseline.",
        claims=[
            "baseline_attention",
            "baseline_convolution",
            "baseline_groupnorm",
            "pixel_convolution",
            "fused_attention_transformer",
            "fused_attention_diffusion",
            "fused_convolution",
            "fused_linear",
            "module_speedup",
            "amdahl",
        ],
    ),
    About(
        id="speedups",
        ref="Table II",
        title="End-to-end speedup of fused attention",
        caption="Time of the baseline over that of the fused run, of whole pipelines.",
        claims=["speedup"],
    ),
    About(
        id="phases",
        ref="Table III",
        title="Prefill and decode",
        caption="Attention calls of the component that generates, by phase.",
        claims=["phases"],
    ),
    About(
        id="lengths",
        ref="Figure 8",
        title="Sequence length over the calls",
        caption="Queries of each attention call of the component that generates, in order, cut to "
        "the fundamental period; where keys grow from round to round, the keys of self attention, "
        "one call a round.",
        claims=["lengths", "variation", "longest"],
    ),
    About(
        id="sizes",
        ref="Figure 9",
        title="Sequence lengths by image size",
        caption="Attention calls of Stable Diffusion's UNet by query length.",
        claims=["buckets", "memory", "memory_growth"],
    ),
    About(
        id="growth",
        ref="Figure 10",
        title="Attention and convolution by image size",
        caption="Time of the two categories in Stable Diffusion, with baseline and with fused "
        "attention, counted as in Figure 7.",
        claims=["growth_baseline", "growth_fused"],
    ),
    About(
        id="axes",
        ref="Figure 12",
        title="Temporal and spatial attention",
        caption="Time and FLOPs of attention along each axis in Make-A-Video, over the whole run. "
        "FLOPs are those of the two products of each call.",
        claims=["dimensions", "temporal_time", "temporal_flops", "temporal_share"],
    ),
    About(
        id="frames",
        ref="Figure 14",
        title="FLOPs of attention by frames",
        caption="FLOPs of the two products of each call in Make-A-Video along each axis, with "
        "fitted powers and where they meet.",
        claims=["frames_temporal", "frames_spatial", "crossover"],
    ),
)
"""In the paper's order."""


def cited() -> Cited:
    """Return what is stated, as the figures show it."""
    return Cited(
        quality=paper().published,
        taxonomy=[
            CitedModel(
                model=name,
                parameters_b=_value("parameters", name),
                layers=_value("layers", name),
                width=_value("widths", name),
                resolutions=_words("resolutions", name),
            )
            for name in _TABLE_I
        ],
        speedups={one.of: one.value for one in _of("speedup") if one.value is not None},
        phases={one.of: one.words for one in _of("phases") if one.words is not None},
        temporal_over_spatial_time=_value("temporal_time", "make-a-video"),
        spatial_over_temporal_flops=_value("temporal_flops", "make-a-video"),
    )


def _of(claim: str) -> list[Stated]:
    return next((one.values for one in paper().claims if one.id == claim), [])


def _value(claim: str, of: str) -> float | None:
    return next((one.value for one in _of(claim) if one.of == of), None)


def _words(claim: str, of: str) -> str | None:
    return next((one.words for one in _of(claim) if one.of == of), None)
