"""What the annotations of a trace say: plain records, shared by what writes and what reads them.

What does not change from call to call stands once in a `Document`, which rides in the metadata of
the trace; the events carry an id of it and what varies (`genscope.schema.names`). Unknown values
are None.
"""

from __future__ import annotations

from dataclasses import dataclass, field

VERSION = 1
"""Version of the annotations; a reader takes any up to its own, and what it knows of newer ones."""

METADATA_KEY = "genscope"
"""Top-level key of the document beside `traceEvents`."""


@dataclass(frozen=True, slots=True)
class Component:
    """An independently trained part of a pipeline: text_encoder, unet, vae."""

    id: int
    name: str
    class_name: str = ""
    parameters: int | None = None
    """Number of parameters; shared ones count once."""
    parameter_bytes: int | None = None
    dtype: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """A module within a component; `path` is its qualified name there, "" for the component."""

    id: int
    path: str
    class_name: str = ""
    component: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A place that calls attention, with all that is the same at each of its calls."""

    id: int
    component: int | None = None
    module: int | None = None
    kind: str | None = None
    """self, cross or joint."""
    axis: str | None = None
    """sequence, spatial, temporal or spatiotemporal."""
    heads: int | None = None
    """Query heads."""
    kv_heads: int | None = None
    head_dim: int | None = None
    v_head_dim: int | None = None
    dtype: str | None = None
    causal: bool | None = None
    mask: str | None = None
    """none, causal, tensor or window."""
    via: str = ""
    """What was called: sdpa, flash_attn, xformers, flex, mha, chain, …"""
    reason: str = ""
    """Why kind and axis are what they are."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What was run. Two recordings of one workload differ in `attention` alone."""

    model: str | None = None
    device: str | None = None
    dtype: str | None = None
    image_size: tuple[int, int] | None = None
    """Height and width in pixels."""
    frames: int | None = None
    batch: int | None = None
    prompt_length: int | None = None
    """Tokens."""
    steps: int | None = None
    attention: str | None = None
    """The implementation that was asked for."""
    training: bool | None = None
    extra: dict[str, str | int | float | bool] = field(default_factory=dict)
    """What the user adds."""


@dataclass(frozen=True, slots=True)
class Document:
    """The whole table of a trace."""

    workload: Workload = Workload()
    components: tuple[Component, ...] = ()
    modules: tuple[Module, ...] = ()
    sites: tuple[Site, ...] = ()
    peak_memory_bytes: int | None = None
    """Highest memory allocated on the device while recording."""
    libraries: dict[str, str] = field(default_factory=dict)
    """Versions: torch, diffusers, …"""
    notes: tuple[str, ...] = ()
    """What the collector has to say about the recording, in plain words."""
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class ComponentCall:
    """A call of a component, as its event tells; `step` counts denoising steps or tokens."""

    component: int
    name: str
    step: int | None = None


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A call of a module, as its event tells."""

    module: int
    path: str


@dataclass(frozen=True, slots=True)
class AttentionCall:
    """An attention call, as its event tells: its site, and what varies from call to call."""

    site: int
    kind: str | None = None
    batch: int | None = None
    """Sequences, where lengths vary."""
    q_len: int | None = None
    """The longest, where lengths vary."""
    kv_len: int | None = None
    q_tokens: int | None = None
    """All query tokens of the call, where lengths vary from sequence to sequence."""
    chain: bool = False
    """The event is a mark that stands after the last op of an unfused chain, not a range."""
