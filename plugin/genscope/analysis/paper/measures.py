"""What runs say of each claim. A measure sees runs and taxonomy alone, never what is claimed.

`MEASURES` is the table: a claim's id, and the function that measures it. A function returns a value
for each thing that it could measure, so nothing where the runs for it are missing; `NEEDS` says in
words which those are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from genscope.analysis.paper import structure
from genscope.analysis.paper.claims import paper
from genscope.analysis.paper.figures import GROUP_NORM, Figures
from genscope.analysis.paper.found import Measured
from genscope.analysis.paper.runs import BASELINE, FUSED, Pair, Runs, exponent, title
from genscope.analysis.speedup.results import Measure

_ATTENTION, _CONVOLUTION, _LINEAR = "Attention", "Convolution", "Linear"
_ALIKE = 0.25
"""Part by which a measured speedup may differ from the predicted one to follow it."""
_MEASURES = ("unprofiled", "busy", "sum")
"""Ways to measure a whole run, the best first."""


def _percents(runs: Sequence[Figures], category: str) -> str:
    return ", ".join(
        f"{title(run.model)} {100 * run.shares.get(category, 0):.0f} %" for run in runs
    )


def _largest(run: Figures, count: int = 1) -> list[str]:
    names = [name for name in run.shares if name != GROUP_NORM]
    return sorted(names, key=run.shares.__getitem__, reverse=True)[:count]


def _average_attention(runs: Runs) -> list[Measured]:
    seen = runs.usual_of("language", "diffusion", "transformer", role=BASELINE)
    if not seen:
        return []
    leading = sum(_ATTENTION in _largest(run) for run in seen)
    return [
        Measured(
            "average",
            100 * fmean(run.shares.get(_ATTENTION, 0) for run in seen),
            same=2 * leading >= len(seen),
            why=f"attention is the largest category of {leading} of {len(seen)} models: "
            f"{_percents(seen, _ATTENTION)}",
        )
    ]


def _up_to(of: str, seen: Sequence[Figures], category: str, *, among: int = 1) -> list[Measured]:
    """The largest share of a category, which is claimed to be `among` the largest so many."""
    if not seen:
        return []
    leading = sum(category in _largest(run, among) for run in seen)
    place = "the largest" if among == 1 else f"among the largest {among}"
    return [
        Measured(
            of,
            100 * max(run.shares.get(category, 0) for run in seen),
            same=2 * leading >= len(seen),
            why=f"{_percents(seen, category)}; {place} category of {leading} of {len(seen)}",
        )
    ]


def _baseline_convolution(runs: Runs) -> list[Measured]:
    seen = runs.usual_of("diffusion", role=BASELINE)
    return _up_to("largest share", seen, _CONVOLUTION, among=2)


def _group_norm(runs: Runs) -> list[Measured]:
    return [
        Measured(
            "diffusion",
            None,
            low=100 * min(run.shares.get(GROUP_NORM, 0) for run in seen),
            high=100 * max(run.shares.get(GROUP_NORM, 0) for run in seen),
            why=_percents(seen, GROUP_NORM),
        )
        for seen in [runs.usual_of("diffusion", role=BASELINE)]
        if seen
    ]


def _pixel_convolution(runs: Runs) -> list[Measured]:
    pixel, latent = (
        [run for name in names if (run := runs.usual(name, BASELINE)) is not None]
        for names in (("imagen",), ("stable-diffusion", "sdxl"))
    )
    if not pixel or not latent:
        return []
    shares = [fmean(run.shares.get(_CONVOLUTION, 0) for run in part) for part in (pixel, latent)]
    return [
        Measured(
            "pixel less latent",
            100 * (shares[0] - shares[1]),
            same=shares[0] > shares[1],
            why=_percents([*pixel, *latent], _CONVOLUTION),
        )
    ]


def _fused_attention(of: str, *kinds: str, video: bool | None) -> Callable[[Runs], list[Measured]]:
    def measure(runs: Runs) -> list[Measured]:
        pairs = runs.usual_pairs(*kinds, video=video)
        if not pairs:
            return []
        shares = [pair.fused.shares.get(_ATTENTION, 0) for pair in pairs]
        falls = [
            share < pair.baseline.shares.get(_ATTENTION, 0)
            for share, pair in zip(shares, pairs, strict=True)
        ]
        return [
            Measured(
                of,
                None,
                low=100 * min(shares),
                high=100 * max(shares),
                same=all(falls),
                why="of baseline and fused: "
                + ", ".join(
                    f"{title(pair.fused.model)} "
                    f"{100 * pair.baseline.shares.get(_ATTENTION, 0):.0f} and {100 * share:.0f} %"
                    for pair, share in zip(pairs, shares, strict=True)
                ),
            )
        ]

    return measure


def _fused_convolution(runs: Runs) -> list[Measured]:
    seen = runs.usual_of("diffusion", role=FUSED)
    return _up_to("largest share", seen, _CONVOLUTION)


def _fused_linear(runs: Runs) -> list[Measured]:
    seen = runs.usual_of("transformer", role=FUSED, video=False)
    return _up_to("largest share", seen, _LINEAR)


def _speedups(runs: Runs) -> list[Measured]:
    return [one for pair in runs.usual_pairs() for one in _end_to_end(pair)]


def _end_to_end(pair: Pair) -> list[Measured]:
    found = whole_run(pair)
    if found is None:
        return []
    value, measure, why = found
    if measure.low is not None and measure.high is not None and measure.low < measure.high:
        why += f", {measure.low:.2f}x to {measure.high:.2f}x over the repeats"
    return [Measured(pair.fused.model, value, same=value > 1, why=why)]


def whole_run(pair: Pair) -> tuple[float, Measure, str] | None:
    """Return the end-to-end speedup, how it was measured, and that in words."""
    measures = {measure.name: measure for measure in pair.speedup.end_to_end}
    words = {"unprofiled": "wall time without a profiler", "busy": "busy time"}
    for name in _MEASURES:
        if name in measures and (value := measures[name].speedup) is not None:
            return value, measures[name], words.get(name, "time of all work, added up")
    return None


def _of_attention(pair: Pair) -> float | None:
    return next((one.speedup for one in pair.speedup.module if one.scope == "category"), None)


def _module_speedup(runs: Runs) -> list[Measured]:
    found = {
        kind: {
            title(pair.fused.model): value
            for pair in runs.usual_pairs(kind, video=False)
            if (value := _of_attention(pair)) is not None
        }
        for kind in ("diffusion", "transformer")
    }
    if not all(found.values()):
        return []
    diffusion, transformer = (fmean(found[kind].values()) for kind in ("diffusion", "transformer"))
    listed = ", ".join(
        f"{name} {value:.2f}x" for values in found.values() for name, value in values.items()
    )
    return [
        Measured(
            "diffusion over transformers",
            diffusion / transformer,
            same=diffusion > transformer,
            why=f"speedup of attention, means of {listed}",
        )
    ]


def _amdahl(runs: Runs) -> list[Measured]:
    ratios = {}
    for pair in runs.usual_pairs():
        for law in pair.speedup.amdahl:
            if law.measure == "sum" and law.measured_speedup and law.predicted_speedup:
                ratios[title(pair.fused.model)] = law.measured_speedup / law.predicted_speedup
    if not ratios:
        return []
    furthest = max(ratios.values(), key=lambda ratio: abs(ratio - 1))
    return [
        Measured(
            "measured over predicted",
            furthest,
            same=abs(furthest - 1) < _ALIKE,
            why="the furthest of "
            + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
            + "; the rest is time outside attention that differs between the two runs",
        )
    ]


def _intensity(runs: Runs) -> list[Measured]:
    language = runs.usual("llama2")
    if language is None or not language.intensity:
        return []
    ratios = {
        title(model.name): run.intensity / language.intensity
        for model in paper().models
        if model.kind == "diffusion"
        and (run := runs.usual(model.name)) is not None
        and run.intensity is not None
    }
    if not ratios:
        return []
    return [
        Measured(
            "diffusion over LLM",
            max(ratios.values()),
            same=min(ratios.values()) > 1,
            why="FLOPs of a whole run over the bytes of all parameters: "
            + ", ".join(f"{name} {ratio:.1f}x" for name, ratio in ratios.items())
            + f", of {title(language.model)}'s {language.intensity:.0f} FLOPs a byte",
        )
    ]


def _bound(runs: Runs) -> list[Measured]:
    found = []
    for model in paper().models:
        run = runs.usual(model.name)
        if model.kind == "language" or run is None or run.roof.placed is None:
            continue
        roof = run.roof
        total = max(1, sum(roof.bound_ns.values()))
        parts = ", ".join(f"{name} {100 * ns / total:.0f} %" for name, ns in roof.bound_ns.items())
        own = "" if roof.intensity is None else f", {roof.intensity:.0f} a byte of parameters"
        found.append(
            Measured(
                model.name,
                words=roof.placed,
                why=f"{roof.moved_intensity:.0f} FLOPs a byte moved{own}; the ridge of "
                f"{roof.device} is at {roof.ridge:.0f}; time by what its ops reach: {parts}",
            )
        )
    return found


def _growth(role: str, *, attention_faster: bool) -> Callable[[Runs], list[Measured]]:
    def measure(runs: Runs) -> list[Measured]:
        swept = runs.swept("stable-diffusion", "image_size", role)
        sizes = [float(run.image_size or 0) for run in swept]
        powers = [
            exponent(sizes, [float(run.time_ns.get(name, 0)) for run in swept])
            for name in (_ATTENTION, _CONVOLUTION)
        ]
        if powers[0] is None or powers[1] is None:
            return []
        difference = powers[0] - powers[1]
        return [
            Measured(
                "attention less convolution",
                difference,
                same=(difference > 0) is attention_faster,
                why=f"attention grows with the power {powers[0]:.2f}, convolution with "
                f"{powers[1]:.2f}, over {', '.join(f'{size:.0f}' for size in sizes)} pixels",
            )
        ]

    return measure


MEASURES: dict[str, Callable[[Runs], list[Measured]]] = {
    "parameters": structure.parameters,
    "layers": structure.layers,
    "widths": structure.widths,
    "resolutions": structure.resolutions,
    "intensity": _intensity,
    "bound": _bound,
    "baseline_attention": _average_attention,
    "baseline_convolution": _baseline_convolution,
    "baseline_groupnorm": _group_norm,
    "pixel_convolution": _pixel_convolution,
    "fused_attention_transformer": _fused_attention(
        "LLaMA and transformers", "language", "transformer", video=False
    ),
    "fused_attention_diffusion": _fused_attention("diffusion", "diffusion", video=None),
    "fused_convolution": _fused_convolution,
    "fused_linear": _fused_linear,
    "speedup": _speedups,
    "module_speedup": _module_speedup,
    "amdahl": _amdahl,
    "phases": structure.phases,
    "lengths": structure.lengths,
    "variation": structure.variation,
    "longest": structure.longest,
    "memory": structure.memory,
    "memory_growth": structure.memory_growth,
    "buckets": structure.buckets,
    "growth_baseline": _growth(BASELINE, attention_faster=True),
    "growth_fused": _growth(FUSED, attention_faster=False),
    "dimensions": structure.dimensions,
    "temporal_time": structure.temporal_time,
    "temporal_flops": structure.temporal_flops,
    "temporal_share": structure.temporal_share,
    "frames_temporal": structure.frames_growth("temporal"),
    "frames_spatial": structure.frames_growth("spatial"),
    "crossover": structure.crossover,
}
"""By the id of the claim. A claim that is out of reach has none."""

_PAIR = "a baseline and a fused run of the usual task of the models that it is about"
_SIZES = "runs of Stable Diffusion at several image sizes"
_FRAMES = "runs of Make-A-Video with several numbers of frames"

NEEDS = {
    "parameters": "the taxonomy of the models at paper scale",
    "layers": "the taxonomy of the models at paper scale",
    "widths": "the taxonomy of the models at paper scale",
    "resolutions": "the taxonomy of the models at paper scale",
    "intensity": "runs of LLaMA2 and of a diffusion model, with annotations",
    "bound": "a run of the model on a GPU whose rates are known",
    "phases": "a run of the model",
    "lengths": "a run of the model",
    "variation": "a run of the model",
    "longest": "a run of Stable Diffusion at 512 pixels",
    "memory": "a run of the model",
    "memory_growth": _SIZES,
    "buckets": _SIZES,
    "growth_baseline": _SIZES,
    "growth_fused": _SIZES,
    "dimensions": "a run of the model",
    "temporal_time": "a run of the model",
    "temporal_flops": "a run of the model",
    "temporal_share": "a run of the model",
    "frames_temporal": _FRAMES,
    "frames_spatial": _FRAMES,
    "crossover": _FRAMES + " at two image sizes",
}


def needs(claim: str) -> str:
    """Say which runs a claim needs."""
    return NEEDS.get(claim, _PAIR)
