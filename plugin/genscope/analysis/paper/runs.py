"""The runs of one setting, and what measures ask of them: pairs, sweeps, and growth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from genscope.analysis.paper.claims import paper
from genscope.analysis.paper.figures import Call, Figures
from genscope.analysis.paper.results import ModelTaxonomy
from genscope.analysis.powers import power
from genscope.analysis.speedup.pairs import pair_runs, run_info
from genscope.analysis.speedup.results import Speedup
from genscope.analysis.speedup.view import between

BASELINE, FUSED = "baseline", "fused"

_GENERATORS = ("unet", "transformer", "decoder", "llama")
"""Components that generate, by name; the first that a model has."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A run with baseline attention and one of the same work with fused attention."""

    baseline: Figures
    fused: Figures
    speedup: Speedup


class Runs:
    """Runs of one setting (scale, hardware, dtype), and the taxonomy of the models."""

    def __init__(self, runs: Sequence[Figures], taxonomy: Sequence[ModelTaxonomy] = ()) -> None:
        self.all = list(runs)
        self.taxonomy = {model.model: model for model in taxonomy}
        by_label = {run.label: run for run in runs}
        found = pair_runs([run_info(run.label, run.side) for run in runs])
        self.role: dict[str, str] = {}
        self.pairs: list[Pair] = []
        for pair in found.pairs:
            baseline, fused = by_label[pair.baseline], by_label[pair.fused]
            self.role[baseline.label], self.role[fused.label] = BASELINE, FUSED
            self.pairs.append(
                Pair(baseline, fused, between(baseline.side, fused.side, calls=False))
            )

    def usual(self, model: str, role: str | None = None) -> Figures | None:
        """Return the run of a model's usual task, in a role if it matters."""
        for run in self.all:
            if run.model == model and run.is_usual and role in (None, self.role.get(run.label)):
                return run
        return None

    def usual_of(self, *kinds: str, role: str, video: bool | None = None) -> list[Figures]:
        """Return the usual runs of the paper's models of some kinds, in a role."""
        return [
            run
            for model in paper().models
            if model.kind in kinds and video in (None, model.video)
            if (run := self.usual(model.name, role)) is not None
        ]

    def usual_pairs(self, *kinds: str, video: bool | None = None) -> list[Pair]:
        """Return the pairs of usual runs of the paper's models of some kinds (all without)."""
        return [
            pair
            for model in paper().models
            if (not kinds or model.kind in kinds) and video in (None, model.video)
            for pair in self.pairs
            if pair.baseline.model == model.name and pair.baseline.is_usual
        ]

    def swept(
        self, model: str, over: str, role: str | None = None, at: int | None = None
    ) -> list[Figures]:
        """Return a model's runs that differ in `over` (image_size or frames), the least first.

        Of those that agree in steps and in the other of the two, the largest such group; `at` says
        what the other is to be.
        """
        other = "frames" if over == "image_size" else "image_size"
        groups: dict[object, dict[int, Figures]] = {}
        for run in self.all:
            size = getattr(run, over)
            wanted = run.model == model and at in (None, getattr(run, other))
            if wanted and size and role in (None, self.role.get(run.label)):
                groups.setdefault((run.steps, getattr(run, other)), {}).setdefault(size, run)
        largest = max(groups.values(), key=len, default={})
        return [largest[size] for size in sorted(largest)]


def title(model: str) -> str:
    """Return the name of a model for people."""
    known = paper().model(model)
    return known.title if known else model


def generated(run: Figures) -> list[Call]:
    """Return the calls of the component that generates."""
    names = {call.component for call in run.calls}
    name = next((name for name in _GENERATORS if name in names), run.main)
    return [call for call in run.calls if call.component == name]


def exponent(sizes: Iterable[float], values: Iterable[float]) -> float | None:
    """Return the power with which values grow with sizes, by least squares on logarithms.

    None below two distinct sizes, and where a value is not above 0.
    """
    points = list(zip(sizes, values, strict=True))
    if any(size <= 0 or value <= 0 for size, value in points):
        return None
    found = power(points)
    return found.exponent if found is not None else None
