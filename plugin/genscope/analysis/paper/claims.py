"""What the paper states, and what others published: data with sources, read from `paper.json`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class Stated(msgspec.Struct, kw_only=True, frozen=True):
    """One value of a claim: a number, a range (either end may be open), or words."""

    of: str
    """A model of the suite, or what is counted."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    up_to: bool = False
    """Whether `value` is the largest that was seen."""
    words: str | None = None


class Claim(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A claim and its values; `values` is empty where the text gives no number."""

    id: str
    ref: str
    """Where the paper says it."""
    text: str
    values: list[Stated]
    unit: str = ""
    structural: bool = False
    """Whether it follows from how the models are built, so that small ones show it as well."""
    tolerance: float = 0.1
    """Part of a stated value by which a measured one may differ and still agree."""
    at_image_size: int | None = None
    """Side in pixels of the images that it is about."""
    out_of_reach: str | None = None
    """Why no run of the suite can show it."""


class SuiteModel(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A workload of the paper. `kind` is language, diffusion or transformer."""

    name: str
    """Name in the suite."""
    title: str
    kind: str
    space: str | None = None
    """What a diffusion model works on: pixel or latent."""
    video: bool = False
    note: str | None = None


class Published(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a model's own paper says of it: billions of parameters, zero-shot FID on COCO."""

    model: str
    parameters_b: float | None
    fid: float
    kind: str
    source: str


class Paper(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """All that is cited."""

    source: str
    models: list[SuiteModel]
    claims: list[Claim]
    disagreements: list[str]
    """Where the paper's text disagrees with itself or with its sources."""
    published: list[Published]

    def model(self, name: str) -> SuiteModel | None:
        """Return a workload by its name in the suite."""
        return next((model for model in self.models if model.name == name), None)


@cache
def paper() -> Paper:
    """Return the paper's claims and the published figures."""
    text = files(__package__).joinpath("paper.json").read_bytes()
    return msgspec.json.decode(text, type=Paper)
