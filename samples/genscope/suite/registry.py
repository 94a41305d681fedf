"""The models of the suite as one table, as the paper's Table I: what each is, and what is known.

Nothing here is measured, and reading it imports nothing. What a model is made of stands in its file
under `models`; `load` gets that.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genscope.suite.models.base import Model

_UNITS = {"K": 1e3, "M": 1e6, "B": 1e9}


@dataclass(frozen=True, slots=True)
class Published:
    """A number of parameters, as somebody else states it."""

    components: tuple[str, ...]
    """Whose parameters these are together."""
    stated: str
    """As it is written: "860M", "20B". How many digits there are says how exact it is."""
    source: str
    proxy: str = ""
    """The model whose number it is, where that of the model itself is unpublished."""

    @property
    def parameters(self) -> float:
        """The number."""
        return float(self.stated[:-1]) * _UNITS[self.stated[-1]]

    def agrees(self, parameters: int) -> bool:
        """Whether a number lies within 5 %, or rounds to what is stated."""
        digits = self.stated[:-1]
        last = digits.partition(".")[2] if "." in digits else ""
        unit = 10.0 ** -len(last) * _UNITS[self.stated[-1]]
        # The zeros at the end of 600M say nothing.
        unit *= 10.0 ** (0 if "." in digits else len(digits) - len(digits.rstrip("0")))
        return abs(parameters - self.parameters) <= max(0.05 * self.parameters, unit / 2)


@dataclass(frozen=True, slots=True)
class Row:
    """A model."""

    name: str
    """On the command line, and the name of its folder of runs."""
    title: str
    kind: str
    generator: str
    """What makes the tokens or pixels, in words."""
    source: str
    published: tuple[Published, ...]
    unpublished: str = ""
    """What nobody tells, and what was chosen for it."""
    stand_in: str = ""
    """What it stands in for, where it is not the paper's own."""
    in_paper: bool = True
    """Whether it is one of the paper's eight workloads."""

    @property
    def module(self) -> str:
        """The module that has it."""
        return f"genscope.suite.models.{self.name.replace('-', '_')}"


_T5_XXL = Published(("text_encoder",), "4.76B", "T5 v1.1 XXL: its configuration's encoder")
_CLIP_L = Published(("text_encoder",), "123M", "CompVis, Stable Diffusion v1 model card")
_SD_VAE = Published(("vae",), "83.7M", "Stable Diffusion v1: its published weights")

ROWS = (
    Row(
        name="llama2",
        title="LLaMA2 7B",
        kind="LLM",
        generator="decoder-only transformer, token by token",
        source="Touvron et al., arXiv:2307.09288",
        published=(Published(("llama",), "6.74B", "its published weights; the paper says 7B"),),
    ),
    Row(
        name="imagen",
        title="Imagen",
        kind="text to image, diffusion of pixels",
        generator="UNet at 64 x 64, then two Efficient U-Nets to 256 and 1024",
        source="Saharia et al., arXiv:2205.11487",
        published=(
            _T5_XXL,
            Published(("unet",), "2B", "arXiv:2205.11487, section 4.1"),
            Published(("super_resolution_1",), "600M", "arXiv:2205.11487, section 4.1"),
            Published(
                ("unet", "super_resolution_1", "super_resolution_2"),
                "3B",
                "Table I; 2B, 600M and 400M in arXiv:2205.11487",
            ),
        ),
        unpublished="The weights, the steps (64, 32 and 16 here) and how the Efficient U-Nets join "
        "what they skip: at each resnet in the first, once a level in the second, which is nearest "
        "to the stated 600M and 400M. The published widths and blocks of the second give 468M.",
    ),
    Row(
        name="stable-diffusion",
        title="Stable Diffusion v1",
        kind="text to image, diffusion of latents",
        generator="UNet at an eighth of the image, VAE decoder",
        source="Rombach et al., arXiv:2112.10752",
        published=(
            _CLIP_L,
            Published(("unet",), "860M", "CompVis, Stable Diffusion v1 model card"),
            _SD_VAE,
        ),
        unpublished="The paper retrained it on other data, and states 1.45B, the size of the "
        "earlier text-to-image model of arXiv:2112.10752, with the text width of v1.",
    ),
    Row(
        name="muse",
        title="Muse",
        kind="text to image, masked transformer",
        generator="masked transformers over 256, then 4096 tokens, in parallel; VQ-GAN decoder",
        source="Chang et al., arXiv:2301.00704",
        published=(
            _T5_XXL,
            Published(("transformer",), "3B", "arXiv:2301.00704; 48 layers of 2048"),
        ),
        unpublished="The weights and the heads (16 here). Its super-resolution model has "
        "multi-axis attention, of which nothing more is told; here it attends to all 4096 tokens.",
    ),
    Row(
        name="parti",
        title="Parti 20B",
        kind="text to image, autoregressive transformer",
        generator="encoder-decoder to 1024 tokens one by one, ViT-VQGAN decoder",
        source="Yu et al., arXiv:2206.10789",
        published=(
            Published(("text_encoder", "decoder"), "20B", "arXiv:2206.10789, table 1"),
            Published(("detokenizer",), "600M", "arXiv:2206.10789, section 2.1"),
        ),
        unpublished="The weights. Bart's layers stand for those of the encoder-decoder. Its last "
        "super-resolution, a convolutional network beyond 256 pixels, is left out.",
    ),
    Row(
        name="sdxl",
        title="SDXL",
        kind="text to image, diffusion of latents",
        generator="UNet at an eighth of the image, VAE decoder",
        source="Podell et al., arXiv:2307.01952",
        published=(
            Published(("text_encoder", "text_encoder_2"), "817M", "arXiv:2307.01952, table 1"),
            Published(("unet",), "2.6B", "arXiv:2307.01952, table 1"),
            _SD_VAE,
        ),
        stand_in="the paper's production text-to-image model, of which nothing is published",
    ),
    Row(
        name="make-a-video",
        title="Make-A-Video",
        kind="text to video, diffusion of pixels",
        generator="UNet with attention and convolution along space, then time; interpolation; "
        "two super-resolutions",
        source="Singer et al., arXiv:2209.14792",
        published=(),
        unpublished="Widths, steps and weights. Sizes are those of Karlo, an open model of the "
        "kind that it extends, with the layers along time on top.",
    ),
    Row(
        name="phenaki",
        title="Phenaki",
        kind="text to video, masked transformer",
        generator="masked transformer over 1536 tokens of 11 frames, in parallel; C-ViViT decoder",
        source="Villegas et al., arXiv:2210.02399",
        published=(
            _T5_XXL,
            Published(("transformer",), "1.8B", "arXiv:2210.02399, section 3"),
        ),
        unpublished="The weights.",
    ),
    Row(
        name="llama3",
        title="Llama 3 8B",
        kind="LLM",
        generator="decoder-only transformer, grouped queries, token by token",
        source="Grattafiori et al., arXiv:2407.21783",
        published=(Published(("llama",), "8.03B", "its published weights"),),
        in_paper=False,
    ),
    Row(
        name="flux",
        title="FLUX.1 dev",
        kind="text to image, flow of latents",
        generator="transformer over text and image together (MMDiT), VAE decoder",
        source="Black Forest Labs, FLUX.1 model card",
        published=(
            Published(("text_encoder",), "123M", "CLIP L: its published weights"),
            Published(("text_encoder_2",), "4.76B", _T5_XXL.source),
            Published(("transformer",), "12B", "FLUX.1 model card"),
        ),
        in_paper=False,
    ),
    Row(
        name="llamagen",
        title="LlamaGen XL",
        kind="text to image, autoregressive transformer",
        generator="decoder-only transformer to 256 tokens one by one, VQ-GAN decoder",
        source="Sun et al., arXiv:2406.06525",
        published=(
            Published(("transformer",), "775M", "arXiv:2406.06525, table 1"),
            Published(("text_encoder",), "1.22B", "Flan-T5 XL: its configuration's encoder"),
        ),
        unpublished="Nothing that matters here; its VQ-GAN is that of diffusers at the same "
        "widths, and guidance is left out.",
        in_paper=False,
    ),
    Row(
        name="wan",
        title="Wan 2.1 1.3B",
        kind="text to video, flow of latents",
        generator="transformer over all positions of all frames, causal 3-D VAE decoder",
        source="Wan team, arXiv:2503.20314",
        published=(
            Published(("text_encoder",), "5.68B", "UMT5 XXL: its configuration's encoder"),
            Published(("transformer",), "1.42B", "its published weights; the name says 1.3B"),
            Published(("vae",), "127M", "arXiv:2503.20314, section 4.1"),
        ),
        unpublished="Nothing that matters here. Frames are square, 624 x 624 for its 832 x 480.",
        in_paper=False,
    ),
)

NAMES = tuple(row.name for row in ROWS)

_BY_NAME = {row.name: row for row in ROWS}


def row(name: str) -> Row:
    """Return the row of a model. Raises KeyError where there is none of this name."""
    return _BY_NAME[name]


def rows(names: Iterable[str]) -> list[Row]:
    """Return rows in the order of the table.

    Raises:
        ValueError: There is no such model; the text says which there are.
    """
    wanted = set(names)
    if unknown := sorted(wanted - set(NAMES)):
        raise ValueError(f"no model is called {unknown[0]!r}; there are {', '.join(NAMES)}")
    return [one for one in ROWS if one.name in wanted]


def load(name: str) -> Model:
    """Import a model's file and return what it provides.

    Raises:
        KeyError: There is none of this name.
        ImportError: torch, diffusers or transformers is missing.
    """
    model: Model = importlib.import_module(row(name).module).MODEL
    return model
