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

WITHIN = 0.05
"""How far what is built may lie from a published number, as a part of that."""


@dataclass(frozen=True, slots=True)
class Published:
    """A number of parameters, as somebody else states it."""

    components: tuple[str, ...]
    """Whose parameters these are together."""
    stated: str
    """As it is written: "860M", "20B"."""
    source: str
    proxy: str = ""
    """The model whose number it is, where that of the model itself is unpublished."""
    without: tuple[str, ...] = ()
    """Modules that the proxy lacks, by parts of their paths; their weights do not count."""
    apart: str = ""
    """Why what is built lies further from it than `WITHIN`, where it does."""

    @property
    def parameters(self) -> float:
        """The number."""
        return float(self.stated[:-1]) * _UNITS[self.stated[-1]]

    def agrees(self, parameters: int) -> bool:
        """Whether a number lies as near to it as `WITHIN` says."""
        return abs(parameters - self.parameters) <= WITHIN * self.parameters


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
    def proxies(self) -> dict[str, tuple[str, ...]]:
        """The components that have the sizes of another model, by the name of that."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self.published:
            if one.proxy:
                found[one.proxy] = (*found.get(one.proxy, ()), *one.components)
        return found

    @property
    def module(self) -> str:
        """The module that has it."""
        return f"genscope.suite.models.{self.name.replace('-', '_')}"


_CLIP_L = Published(("text_encoder",), "123M", "CompVis, Stable Diffusion v1 model card")
_SD_VAE = Published(("vae",), "83.7M", "Stable Diffusion v1: size of its published weights")
_KARLO = "Karlo v1.0 alpha, model card and configurations"
_IN_TIME = ("temporal", "rate")
"""Of the UNets of Make-A-Video: what an image model does not have."""


def _t5_xxl(source: str) -> Published:
    return Published(("text_encoder",), "4.6B", f"{source}, which has T5 XXL encode the text")


ROWS = (
    Row(
        name="llama2",
        title="LLaMA2 7B",
        kind="LLM",
        generator="decoder-only transformer, token by token",
        source="Touvron et al., arXiv:2307.09288",
        published=(
            Published(("llama",), "6.74B", "size of its published weights; its name says 7B"),
        ),
    ),
    Row(
        name="imagen",
        title="Imagen",
        kind="text to image, diffusion of pixels",
        generator="UNet at 64 x 64, then two Efficient U-Nets to 256 and 1024",
        source="Saharia et al., arXiv:2205.11487",
        published=(
            _t5_xxl("arXiv:2301.00704, section 3, on the encoder of Imagen too"),
            Published(("unet",), "2B", "arXiv:2205.11487, section 4.1"),
            Published(("super_resolution_1",), "600M", "arXiv:2205.11487, section 4.1"),
            Published(
                ("super_resolution_2",),
                "400M",
                "arXiv:2205.11487, section 4.1",
                apart="the widths and blocks of its appendix F.3 make 468M however few resnets "
                "take what is skipped",
            ),
            Published(
                ("unet", "super_resolution_1", "super_resolution_2"),
                "3B",
                "Table I; 2B, 600M and 400M in arXiv:2205.11487",
            ),
        ),
        unpublished="The weights and the steps (64, 32 and 16 here). Appendix F gives both "
        "Efficient U-Nets the same widths and blocks, section 4.1 600M and 400M parameters: what "
        "is skipped joins at each resnet in the first and once a level in the second (as in "
        "figure A.29), which is nearest to both.",
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
            _t5_xxl("arXiv:2301.00704, section 3"),
            Published(
                ("transformer",),
                "3B",
                "arXiv:2301.00704, abstract",
                apart="its appendix A.1 has 48 layers of 2048 with an MLP of 8192, which with "
                "attention to the text are 3.2B: 3B is rounded",
            ),
        ),
        unpublished="The weights, the heads (16 here), the widths of the VQ-GANs beside their "
        "first, 128, and the parameters of the super-resolution model, whose layers and widths "
        "are in appendix A.3. It has multi-axis attention; here it attends to all 4096 tokens.",
    ),
    Row(
        name="parti",
        title="Parti 20B",
        kind="text to image, autoregressive transformer",
        generator="encoder-decoder to 1024 tokens one by one, ViT-VQGAN decoder",
        source="Yu et al., arXiv:2206.10789",
        published=(
            Published(("text_encoder", "decoder"), "20B", "arXiv:2206.10789, table 1"),
            Published(
                ("detokenizer",),
                "600M",
                "arXiv:2206.10789, section 2.1",
                apart="its 32 layers of 1280 are 629M: 600M is rounded",
            ),
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
        published=(
            Published(
                ("text_encoder",), "123M", "Stable Diffusion v1 model card", proxy="CLIP L of Karlo"
            ),
            Published(("prior",), "1B", _KARLO, proxy="Karlo's prior"),
            Published(("unet",), "900M", _KARLO, proxy="Karlo's decoder", without=_IN_TIME),
            Published(
                ("interpolation",), "900M", _KARLO, proxy="Karlo's decoder", without=_IN_TIME
            ),
            Published(
                ("super_resolution_1",),
                "700M",
                _KARLO,
                proxy="Karlo's super-resolution",
                without=_IN_TIME,
            ),
            Published(
                ("super_resolution_2",),
                "300M",
                "arXiv:2204.06125, table 3, as others quote it",
                proxy="the last upsampler of DALL-E 2",
                apart="its widths and blocks make 282M here: 300M is rounded, and how it resizes "
                "is not told",
            ),
        ),
        unpublished="Widths, steps, parameters and weights. It extends an image model built like "
        "DALL-E 2. The sizes of all parts, and 25 steps of prior and UNet and 7 of "
        "super-resolution, are those of Karlo, the open model of that kind, with the layers along "
        "time on top; the last super-resolution, which Karlo lacks, has the widths of DALL-E 2's.",
    ),
    Row(
        name="phenaki",
        title="Phenaki",
        kind="text to video, masked transformer",
        generator="masked transformer over 1536 tokens of 11 frames, in parallel; C-ViViT decoder",
        source="Villegas et al., arXiv:2210.02399",
        published=(
            _t5_xxl("its authors' reply in its review"),
            Published(("transformer",), "1.8B", "arXiv:2210.02399, section 3.1"),
        ),
        unpublished="The weights, and the steps but for their range, 12 to 48 (24 here). Layers "
        "and widths are given as others quote the paper.",
    ),
    Row(
        name="llama3",
        title="Llama 3 8B",
        kind="LLM",
        generator="decoder-only transformer, grouped queries, token by token",
        source="Grattafiori et al., arXiv:2407.21783",
        published=(Published(("llama",), "8.03B", "size of its published weights"),),
        in_paper=False,
    ),
    Row(
        name="flux",
        title="FLUX.1 dev",
        kind="text to image, flow of latents",
        generator="transformer over text and image together (MMDiT), VAE decoder",
        source="Black Forest Labs, FLUX.1 model card",
        published=(
            Published(("text_encoder",), "123M", "Stable Diffusion v1 model card, on CLIP L"),
            Published(("text_encoder_2",), "4.76B", "size of its published weights, T5 XXL"),
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
            Published(("text_encoder",), "1.2B", "as others state the encoder of Flan-T5 XL"),
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
            Published(("text_encoder",), "5.68B", "size of its published weights, UMT5 XXL"),
            Published(
                ("transformer",), "1.42B", "size of its published weights; its name says 1.3B"
            ),
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
