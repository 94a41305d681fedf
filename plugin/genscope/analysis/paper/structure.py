"""Measures of what follows from how a model is built: its sizes, and its attention call by call."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise

from genscope.analysis.attention.frames import frames_sweep
from genscope.analysis.paper.claims import paper
from genscope.analysis.paper.figures import Call, Figures
from genscope.analysis.paper.found import Measured
from genscope.analysis.paper.results import Component, ModelTaxonomy
from genscope.analysis.paper.runs import Runs, exponent, generated

_STABLE_DIFFUSION, _VIDEO = "stable-diffusion", "make-a-video"
_HALF_PRECISION = 2
"""Bytes of a number, as the paper counts them."""
_PAPER_SCALE = "paper"
_COUNTED = {
    "imagen": ("unet", "super_resolution_1", "super_resolution_2"),
    "stable-diffusion": ("unet", "vae"),
    "muse": ("transformer",),
    "parti": ("text_encoder", "decoder"),
}
"""Components that a model's stated size is of: what its authors trained, without a decoder to
pixels where that is counted apart."""


# Sizes ------------------------------------------------------------------------------------------


def _built(runs: Runs, *models: str) -> Iterator[ModelTaxonomy]:
    for model in models:
        found = runs.taxonomy.get(model)
        if found is not None and found.scale == _PAPER_SCALE:
            yield found


def _own(model: ModelTaxonomy) -> list[Component]:
    return [part for part in model.components if part.name in _COUNTED[model.model]]


def parameters(runs: Runs) -> list[Measured]:
    """Billions of parameters of what the model's authors trained."""
    return [
        Measured(
            model.model,
            sum(part.parameters for part in _own(model)) / 1e9,
            why=", ".join(f"{part.name} {part.parameters / 1e9:.2f} B" for part in _own(model)),
        )
        for model in _built(runs, *_COUNTED)
    ]


def layers(runs: Runs) -> list[Measured]:
    """Layers of the transformers, encoder and decoder together."""
    return [
        Measured(
            model.model,
            float(sum(part.layers for part in _own(model))),
            why=", ".join(f"{part.name} {part.layers}" for part in _own(model)),
        )
        for model in _built(runs, "muse", "parti")
    ]


def widths(runs: Runs) -> list[Measured]:
    """Width of the transformer that generates."""
    return [
        Measured(model.model, float(max(part.widths)), why=f"width of {part.name}'s attention")
        for model in _built(runs, "muse", "parti")
        for part in model.components
        if part.name == model.main and part.widths
    ]


def resolutions(runs: Runs) -> list[Measured]:
    """Where the UNets attend on their way down: sides, or factors of downsampling."""
    found = []
    for model in _built(runs, _STABLE_DIFFUSION, "imagen"):
        sides = model.attention_sides
        if model.model == _STABLE_DIFFUSION and sides:
            # The middle attends below the levels; the paper lists levels.
            factors = sorted(max(sides) // side for side in sides)
            words = ", ".join(map(str, factors[:-1] if len(factors) > 3 else factors))
            why = f"sides {', '.join(map(str, sides))}; the last is the middle's"
        else:
            words, why = ", ".join(map(str, sides)), "sides of spatial attention in the UNet"
        found.append(Measured(model.model, words=words, why=why))
    return found


# Call by call -----------------------------------------------------------------------------------


def phases(runs: Runs) -> list[Measured]:
    """Phases of the component that generates."""
    found = []
    for model in paper().models:
        run = runs.usual(model.name)
        if run is not None and not model.video:
            # A text that is encoded first is no phase of the generator.
            words = {call.phase for call in generated(run) if call.phase}
            said = ", ".join(sorted(words, reverse=True))
            if said:
                found.append(Measured(model.name, words=said, why="its calls"))
    return found


def lengths(runs: Runs) -> list[Measured]:
    """The shape of the sequence lengths over the calls of the component that generates."""
    found = []
    for name in (_STABLE_DIFFUSION, "imagen", "parti", "muse"):
        run = runs.usual(name)
        if run is None:
            continue
        own = [call for call in generated(run) if call.kind != "cross"]
        if not own:
            continue
        short = _compressed([call.q_len for call in own])
        keys = _compressed([call.kv_len for call in own])
        if len(keys) > 2 and all(a < b for a, b in pairwise(keys)):
            words = "growing"
            why = f"keys grow from {keys[0]} to {keys[-1]}"
        elif len(short) == 1:
            words, why = "constant", f"{short[0]} in every call"
        else:
            shape = _turns(short)
            words = "U-shaped cycles" if shape else "varying"
            listed = ", ".join(map(str, short[: 2 * len(set(short)) - 1]))
            why = f"{listed}, and so on" if shape else listed
        found.append(Measured(name, words=words, why=why))
    return found


def _compressed(lengths: Sequence[int]) -> list[int]:
    """The lengths without repeats of one another."""
    return [length for length, _ in groupby(lengths)]


def _turns(lengths: Sequence[int]) -> bool:
    """Whether lengths go all the way down and all the way up again, over and over."""
    top, bottom = max(lengths), min(lengths)
    if lengths[0] != top or lengths[-1] != top:
        return False
    ends = [one for one in lengths if one in (top, bottom)]
    signs = [b > a for a, b in pairwise(lengths)]
    changes = sum(a != b for a, b in pairwise(signs))
    return all(a != b for a, b in pairwise(ends)) and changes == len(ends) - 2


def variation(runs: Runs) -> list[Measured]:
    """How far lengths within the UNet differ."""
    run = runs.usual(_STABLE_DIFFUSION)
    short = _compressed([call.q_len for call in generated(run)]) if run else []
    if len(short) < 2:
        return []
    stage = max(max(a, b) / min(a, b) for a, b in pairwise(short))
    return [
        Measured(
            _STABLE_DIFFUSION,
            max(short) / min(short),
            same=True,
            why=f"{stage:.0f}x from one stage to the next, "
            f"{max(short) / min(short):.0f}x within the UNet",
        )
    ]


def longest(runs: Runs) -> list[Measured]:
    """The longest sequence of the UNet at 512 pixels."""
    return [
        Measured(_STABLE_DIFFUSION, float(max(call.q_len for call in generated(run))), why="UNet")
        for run in runs.all
        if run.model == _STABLE_DIFFUSION and run.image_size == 512 and generated(run)
    ][:1]


def _step_bytes(run: Figures) -> tuple[float, float] | None:
    """Bytes of the similarity matrices of one step, as recorded, and by the paper's formula.

    One head, batch omitted. The shortest self attention is that of the middle, once a step.
    """
    calls = generated(run)
    own = [call.q_len for call in calls if call.kind == "self"]
    text = [call.kv_len for call in calls if call.kind == "cross"]
    if not own or not text:
        return None
    steps = own.count(min(own))
    recorded = _HALF_PRECISION * sum(call.q_len * call.kv_len for call in calls) / steps
    first, depth = max(own), round(math.log(max(own) / min(own), 4))
    stages = [first / 4**n * (first / 4**n + text[0]) for n in range(depth + 1)]
    return recorded, _HALF_PRECISION * (2 * sum(stages[:-1]) + stages[-1])


def memory(runs: Runs) -> list[Measured]:
    """Bytes of similarity matrices over what the formula gives."""
    run = runs.usual(_STABLE_DIFFUSION)
    counted = _step_bytes(run) if run else None
    if counted is None:
        return []
    recorded, formula = counted
    return [
        Measured(
            "recorded over formula",
            recorded / formula,
            why=f"{recorded:,.0f} bytes a step in the calls, {formula:,.0f} by the formula, "
            "which counts two calls a stage",
        )
    ]


def memory_growth(runs: Runs) -> list[Measured]:
    """The power with which those bytes grow with the side of the image."""
    swept = runs.swept(_STABLE_DIFFUSION, "image_size")
    counted = [_step_bytes(run) for run in swept]
    sizes = [float(run.image_size or 0) for run in swept]
    power = exponent(sizes, [one[0] for one in counted if one]) if all(counted) else None
    if power is None:
        return []
    return [
        Measured(
            _STABLE_DIFFUSION,
            power,
            same=power > 3,
            why=f"over {', '.join(f'{size:.0f}' for size in sizes)} pixels; attention to the text "
            "grows with the square alone",
        )
    ]


def buckets(runs: Runs) -> list[Measured]:
    """The distinct lengths of the UNet at each image size."""
    swept = [run for run in runs.swept(_STABLE_DIFFUSION, "image_size") if generated(run)]
    if len(swept) < 2:
        return []
    by_size = {
        run.image_size: sorted({call.q_len for call in generated(run)}, reverse=True)
        for run in swept
    }
    found = list(by_size.values())
    shifts = all(
        small and len(small) == len(large) and all(a < b for a, b in zip(small, large, strict=True))
        for small, large in pairwise(found)
    )
    return [
        Measured(
            _STABLE_DIFFUSION,
            words="shifting right" if shifts else "not shifting",
            why="; ".join(
                f"{size} pixels: {', '.join(map(str, lengths))}"
                for size, lengths in by_size.items()
            ),
        )
    ]


# Space and time ---------------------------------------------------------------------------------


def dimensions(runs: Runs) -> list[Measured]:
    """What is in the batch of neighbouring spatial and temporal calls."""
    run = runs.usual(_VIDEO)
    pairs = [
        (a, b)
        for a, b in pairwise(generated(run) if run else [])
        if (a.axis, b.axis) == ("spatial", "temporal")
    ]
    if not pairs:
        return []
    swapped = all(_is_swapped(a, b) for a, b in pairs)
    space, time = pairs[0]
    return [
        Measured(
            _VIDEO,
            words="swapped" if swapped else "not swapped",
            why=f"{len(pairs)} pairs of calls, such as batch {space.batch} with length "
            f"{space.q_len}, then batch {time.batch} with length {time.q_len}",
        )
    ]


def _is_swapped(space: Call, time: Call) -> bool:
    if space.batch is None or time.batch is None:
        return False
    videos = space.batch / time.q_len
    return videos >= 1 and time.batch == videos * space.q_len


def temporal_time(runs: Runs) -> list[Measured]:
    """Time of temporal over spatial attention."""
    return [
        Measured(
            _VIDEO,
            ratio,
            same=ratio > 1,
            why=_role(run, runs),
        )
        for run in _video(runs)
        if (ratio := run.space_time.temporal_over_spatial_time) is not None
    ]


def temporal_flops(runs: Runs) -> list[Measured]:
    """FLOPs of spatial over temporal attention."""
    return [
        Measured(
            _VIDEO,
            ratio,
            same=ratio > 1,
            why="of the two products of each call, over the whole run",
        )
        for run in _video(runs)[:1]
        if (ratio := run.space_time.spatial_over_temporal_flops) is not None
    ]


def temporal_share(runs: Runs) -> list[Measured]:
    """Share of temporal attention in all attention."""
    return [
        Measured(_VIDEO, 100 * row.share, same=row.share > 0.5, why=_role(run, runs))
        for run in _video(runs)
        for row in run.space_time.axes
        if row.axis == "temporal"
    ]


def _video(runs: Runs) -> list[Figures]:
    return [run for run in runs.all if run.model == _VIDEO and run.is_usual]


def _role(run: Figures, runs: Runs) -> str:
    asked = run.side.document.workload.attention
    role = runs.role.get(run.label, "one run")
    return f"{role}: {asked} attention" if asked else role


def frames_growth(axis: str) -> Callable[[Runs], list[Measured]]:
    """Return the measure of the power with which FLOPs along `axis` grow with the frames."""

    def measure(runs: Runs) -> list[Measured]:
        swept = runs.swept(_VIDEO, "frames")
        found = frames_sweep([(run.label, run.space_time) for run in swept])
        return [
            Measured(
                _VIDEO,
                fit.exponent,
                why="over " + ", ".join(str(run.frames) for run in swept) + " frames",
            )
            for fit in found.fits
            if fit.axis == axis and fit.of == "flops" and fit.exponent is not None
        ]

    return measure


def crossover(runs: Runs) -> list[Measured]:
    """The frames from which temporal attention has more FLOPs, at each image size."""
    met: dict[int, float] = {}
    for size in sorted({run.image_size for run in runs.all if run.image_size is not None}):
        swept = runs.swept(_VIDEO, "frames", at=size)
        for cross in frames_sweep([(run.label, run.space_time) for run in swept]).crossovers:
            if cross.of == "flops":
                met[size] = cross.frames
    if len(met) < 2:
        return []
    grows = all(a < b for a, b in pairwise(met.values()))
    return [
        Measured(
            _VIDEO,
            words="grows" if grows else "does not grow",
            why="; ".join(f"{size} pixels: {frames:.0f} frames" for size, frames in met.items()),
        )
    ]
