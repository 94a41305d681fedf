"""The typed result of the paper report: what JSON, the terminal and the page share.

Units are in the names of fields or in the claim's `unit`; `None` is unknown.
"""

from __future__ import annotations

import msgspec

from genscope.analysis.paper.claims import Claim, Published, SuiteModel
from genscope.analysis.paper.panels import PaperFigures
from genscope.analysis.results import SCHEMA_VERSION
from genscope.trace.errors import TraceWarning

WITHIN, SAME, CONTRADICTS, NOT_HERE = (
    "within",
    "same direction",
    "contradicts",
    "not measurable here",
)
"""Verdicts. `within` agrees with the value that the paper states; `same direction` shows what the
claim is about in another size; only what follows from how models are built can be `within` where
they are smaller than the paper's."""


class Component(msgspec.Struct, kw_only=True):
    """A part of a model, measured from the model as it is built."""

    name: str
    parameters: int
    layers: int
    """Layers that attend, those of a UNet's transformers included."""
    widths: list[int]
    """Distinct widths of its attention modules, ascending."""
    channels: list[int]
    """Distinct numbers of output channels of its convolutions, ascending."""


class ModelTaxonomy(msgspec.Struct, kw_only=True):
    """One model: a column of the paper's Table I."""

    model: str
    scale: str
    parameters: int
    """Of all components."""
    main: str
    """The component that generates."""
    components: list[Component]
    steps: int | None
    """Steps of the generator in the usual task."""
    image_size: int | None
    frames: int | None
    attention_sides: list[int]
    """Sides of the squares of positions that spatial attention of the generator runs over, largest
    first; empty where it has none."""
    lengths: list[int]
    """Distinct query lengths of the generator, ascending."""


class Taxonomy(msgspec.Struct, kw_only=True):
    """What `genscope.suite.taxonomy` measured, with the versions that built it."""

    models: list[ModelTaxonomy]
    libraries: dict[str, str]


class Setting(msgspec.Struct, kw_only=True):
    """What runs have in common that are looked at together."""

    scale: str
    hardware: str
    dtype: str | None
    runs: int
    pairs: int
    """Baseline and fused runs of the usual task."""


class Outcome(msgspec.Struct, kw_only=True):
    """One value of a claim in one setting.

    `ratio` is measured over stated, where both are one number. `why` says what was compared, or
    why there is no verdict.
    """

    of: str
    setting: int | None
    """Index into `settings`; None for what needs no run."""
    measured: float | None
    low: float | None = None
    """Least and greatest, where what was measured is a range over several models."""
    high: float | None = None
    measured_words: str | None
    ratio: float | None
    verdict: str
    why: str


class ClaimRow(msgspec.Struct, kw_only=True):
    """A claim with everything that was found of it.

    `verdict` is of the claim as a whole, in the first setting that tells anything of it:
    `contradicts` where any of its values does, `within` where all that could be judged are.
    """

    claim: Claim
    outcomes: list[Outcome]
    verdict: str


class LeftOut(msgspec.Struct, kw_only=True):
    """A recording that the report does not use, and why."""

    run: str
    reason: str


class PaperReport(msgspec.Struct, kw_only=True):
    """The paper's claims beside what was measured (`genscope suite report`)."""

    schema_version: int = SCHEMA_VERSION
    view: str = "paper"
    source: str
    """The paper."""
    models: list[SuiteModel]
    settings: list[Setting]
    rows: list[ClaimRow]
    verdicts: dict[str, int]
    """Outcomes by verdict."""
    claims: dict[str, int]
    """Claims by verdict."""
    sentence: str
    figures: PaperFigures
    taxonomy: list[ModelTaxonomy]
    published: list[Published]
    disagreements: list[str]
    left_out: list[LeftOut]
    warnings: list[TraceWarning]
