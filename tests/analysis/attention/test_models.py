"""Attention calls of real models against what was written by hand, with and without annotations."""

from __future__ import annotations

import pytest
import torch
from diffusers import LTXVideoTransformer3DModel, SD3Transformer2DModel
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from genscope.analysis.attention import Calls, axes, kinds, phases
from genscope.analysis.attention.kinds import reason_of
from genscope.analysis.attention.operands import Source
from tests.analysis.attention.models import (
    ANNOTATED,
    PLAIN,
    calls_of,
    differences,
    found,
    recorded,
    said,
)
from tests.collectors.models.cases import CASES
from tests.collectors.models.expect import randn, seeded
from tests.collectors.models.parts import denoised
from tests.collectors.models.text import PROMPT

# What an annotated trace says: everything.


@pytest.mark.parametrize("name", CASES)
def test_annotated_calls_are_what_was_written_by_hand(name: str) -> None:
    calls, right = recorded(name)[ANNOTATED], CASES[name].calls()
    assert len(calls) == len(right)
    wrong = []
    for place, call in enumerate(right):
        told = found(calls, place)
        expected = {**said(name, call), "component": call.component}
        if call.step is not None:
            expected["step"] = call.step
        different = list(differences(expected, calls, place))
        path = str(told["module"])
        # Libraries change what stands at the beginning of a path.
        if path != call.module and not path.endswith("." + call.module):
            different.append(f"module {path}, not {call.module}")
        if not str(told["reason"]).startswith("annotation"):
            different.append(f"reason {told['reason']}")
        if different:
            wrong.append(f"{place} {call.component} {call.module}: {'; '.join(different)}")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(right)} calls", *wrong[:20]])


# What a plain trace says. Component, module and step it cannot know, of no call: no op has them.
# Everything else is read off sizes, which is certain where an op has all of them, and else off the
# ops around a call. By what, for kinds and phases, is stated here for each model, the weakest of
# it being `SAME` (where nothing speaks against it, as many keys as queries are the same tokens:
# cross attention to a sequence just as long and wide would look alike), `WHOLE` (nothing tells of
# rounds), and `CAUSAL` (a prompt is not told from any other text that is read in one go).

SAME, ELSEWHERE, KEPT = (
    kinds.SAME,
    reason_of(Source.ELSEWHERE),
    reason_of(Source.KEPT),
)
JOINED, ADDED = reason_of(Source.JOINED), reason_of(Source.ADDED)
POOLED, CACHED = reason_of(Source.POOLED), reason_of(Source.CACHED)

_IMAGE = {"self": {SAME}, "cross": {ELSEWHERE}}
_ENCODED_FOR_IMAGE = {phases.BESIDE_DENOISER, phases.WHOLE}
_STEPS = {"encode": _ENCODED_FOR_IMAGE, "denoise": {phases.TIMESTEP}}
_DENOISER = {"denoise": {phases.TIMESTEP}}
_GENERATED = {"prefill": {phases.PROMPT}, "decode": {phases.ONE_TOKEN}}
_READ = {"encode": {phases.WHOLE}}

KINDS: dict[str, dict[str, set[str]]] = {
    "stable_diffusion_v1": _IMAGE,
    "stable_diffusion_xl": _IMAGE,
    # The pooled text is one of the tokens that it looks at.
    "deepfloyd_if": {"self": {SAME, POOLED}, "joint": {ADDED}},
    "amused": _IMAGE,
    "flux": {"self": {SAME}, "joint": {JOINED}},
    "unet3d": _IMAGE,
    "unet3d_as_many_frames_as_positions": _IMAGE,
    "animatediff_motion_unet": _IMAGE,
    "stable_video_diffusion": _IMAGE,
    "latte": _IMAGE,
    "cogvideox": {"joint": {JOINED}},
    "wan": _IMAGE,
    "llama_grouped_query": {"self": {SAME, CACHED}},
    "llama_grouped_query_padded": {"self": {SAME, CACHED}},
    "t5": {"self": {SAME, CACHED}, "cross": {ELSEWHERE, KEPT}},
    "bart": {"self": {SAME, CACHED}, "cross": {ELSEWHERE, KEPT}},
    "clip": {"self": {SAME}},
    "vit": {"self": {SAME}},
    "timesformer": {"self": {SAME}},
    "multihead_with_weights": {"self": {SAME}},
    "multihead_with_weights_cross": {"cross": {ELSEWHERE}},
    "multihead_cross": {"cross": {ELSEWHERE}},
    "multihead_fast_path": {"self": {SAME}},
    "transformer_encoder_fast_path": {"self": {SAME}},
    "transformer_decoder_layer": _IMAGE,
    "multi_query_einsum": _IMAGE,
}
"""By what each kind is told from a plain trace."""

PHASES: dict[str, dict[str, set[str]]] = {
    "stable_diffusion_v1": _STEPS,
    "stable_diffusion_xl": _STEPS,
    # T5 masks nothing; there is no VAE.
    "deepfloyd_if": {"encode": {phases.WHOLE}, **_DENOISER},
    "amused": {"encode": _ENCODED_FOR_IMAGE, "parallel_decode": {phases.DRAWN}},
    "flux": {"encode": {phases.WHOLE}, **_DENOISER},
    "unet3d": _STEPS,
    "unet3d_as_many_frames_as_positions": _STEPS,
    "animatediff_motion_unet": _DENOISER,
    "stable_video_diffusion": {"encode": {phases.WHOLE}, **_DENOISER},
    "latte": _DENOISER,
    "cogvideox": _DENOISER,
    "wan": {"encode": {phases.WHOLE}, **_DENOISER},
    "llama_grouped_query": _GENERATED,
    "llama_grouped_query_padded": _GENERATED,
    # Encoder and decoder have heads of one width: only what is read later tells them apart.
    "t5": {"encode": {phases.READ_LATER}, **_GENERATED},
    "bart": {"encode": {phases.WHOLE}, **_GENERATED},
    "clip": {"encode": {phases.WHOLE, phases.BESIDE_IMAGE}},
    "vit": _READ,
    "timesformer": _READ,
    "multihead_with_weights": _READ,
    "multihead_with_weights_cross": _READ,
    "multihead_cross": _READ,
    "multihead_fast_path": _READ,
    "transformer_encoder_fast_path": _READ,
    "transformer_decoder_layer": {"prefill": {phases.CAUSAL}},
    "multi_query_einsum": {"prefill": {phases.CAUSAL}},
}
"""By what each phase is told from a plain trace."""


@pytest.mark.parametrize("name", CASES)
def test_plain_calls_are_what_was_written_by_hand(name: str) -> None:
    calls, right = recorded(name)[PLAIN], CASES[name].calls()
    assert len(calls) == len(right)
    unknown = {"component": None, "module": None, "step": None}
    wrong = []
    for place, call in enumerate(right):
        different = list(differences({**said(name, call), **unknown}, calls, place))
        if different:
            wrong.append(f"{place} {call.component} {call.module}: {'; '.join(different)}")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(right)} calls", *wrong[:20]])


@pytest.mark.parametrize("name", CASES)
def test_plain_calls_say_what_they_were_told_by(name: str) -> None:
    calls = recorded(name)[PLAIN]
    by_kind: dict[str, set[str]] = {}
    by_phase: dict[str, set[str]] = {}
    for place in range(len(calls)):
        told = found(calls, place)
        # What tells the kind comes last, behind what tells the heads.
        reason = str(told["reason"]).split("; ")[-1]
        by_kind.setdefault(str(told["kind"]), set()).add(reason)
        by_phase.setdefault(str(told["phase"]), set()).add(str(told["phase_reason"]))
    assert by_kind == KINDS[name]
    assert by_phase == PHASES[name]


# Other ways of running some of them, and models that are in no table.


def _listed(calls: Calls, *names: str) -> list[tuple[object, ...]]:
    rows = (found(calls, place) for place in range(len(calls)))
    return [tuple(row[name] for name in names) for row in rows]


def _prompt(batch: int, length: int) -> torch.Tensor:
    return torch.randint(5, 50, (batch, length), generator=seeded())


def test_one_denoising_step_ends_where_the_image_is_decoded() -> None:
    pipe = CASES["stable_diffusion_v1"].build().target
    options = {"height": 128, "width": 192, "num_inference_steps": 1, "output_type": "pt"}
    for guidance, texts in ((1.0, 1), (7.5, 2)):
        calls = calls_of(
            lambda guidance=guidance: pipe(
                PROMPT, guidance_scale=guidance, generator=seeded(), **options
            )
        )
        assert _listed(calls, "phase") == [
            *[("encode",)] * 2 * texts,
            *[("denoise",)] * 32,
            ("encode",),
        ]


def test_a_cache_of_fixed_length_is_self_attention() -> None:
    """Its keys are as many in every round: only the projections tell."""
    model = CASES["llama_grouped_query"].build().target
    tokens = _prompt(1, 11)
    calls = calls_of(
        lambda: model.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=3,
            do_sample=False,
            pad_token_id=0,
            cache_implementation="static",
        )
    )
    rows = _listed(calls, "kind", "q_len", "heads", "kv_heads", "phase")
    assert rows == [("self", 11, 6, 2, "prefill")] * 3 + [("self", 1, 6, 2, "decode")] * 6


def test_the_first_token_after_a_prompt_is_not_joint() -> None:
    """The prompt's last layers read as many tokens as the cache then holds."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=50, n_embd=32, n_layer=2, n_head=4, eos_token_id=None, bos_token_id=None
    )
    model = GPT2LMHeadModel(config).eval()
    calls = calls_of(
        lambda: model.generate(_prompt(2, 7), max_new_tokens=3, do_sample=False, pad_token_id=0)
    )
    assert _listed(calls, "kind", "axis", "kv_len", "phase") == [
        *[("self", "sequence", 7, "prefill")] * 2,
        *[("self", "sequence", 8, "decode")] * 2,
        *[("self", "sequence", 9, "decode")] * 2,
    ]


def test_a_context_as_long_as_the_queries_is_told_by_its_width() -> None:
    torch.manual_seed(0)
    model = nn.MultiheadAttention(24, 3, kdim=16, vdim=16, batch_first=True).eval()
    hidden, context = randn(2, 9, 24), randn(2, 9, 16, seed=1)
    calls = calls_of(lambda: model(hidden, context, context, need_weights=False))
    assert _listed(calls, "kind", "q_len", "kv_len") == [("cross", 9, 9)]


def test_joint_and_image_only_layers_are_told_apart() -> None:
    """Stable Diffusion 3.5's first layer attends to the image alone as well."""
    torch.manual_seed(0)
    model = SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=24,
        caption_projection_dim=32,
        pooled_projection_dim=16,
        out_channels=4,
        pos_embed_max_size=16,
        dual_attention_layers=(0,),
        qk_norm="rms_norm",
    ).eval()
    run = denoised(
        model,
        randn(2, 4, 8, 12),
        encoder_hidden_states=randn(2, 13, 24),
        pooled_projections=randn(2, 16),
    )
    once = [
        ("joint", "spatial", 37, "denoise"),
        ("self", "spatial", 24, "denoise"),
        ("joint", "spatial", 37, "denoise"),
    ]
    assert _listed(calls_of(run), "kind", "axis", "q_len", "phase") == 2 * once


def test_without_a_feature_map_the_axis_is_unknown() -> None:
    """LTX takes tokens, not frames: 3 of 4 by 6, but nothing in the trace tells."""
    torch.manual_seed(0)
    model = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=24,
    ).eval()
    run = denoised(
        model,
        randn(2, 72, 8),
        encoder_hidden_states=randn(2, 13, 24),
        encoder_attention_mask=torch.ones(2, 13),
        num_frames=3,
        height=4,
        width=6,
    )
    calls = calls_of(run)
    assert _listed(calls, "kind", "axis") == [("self", None), ("cross", None)] * 2
    assert all(axes.NO_GRID in str(reason) for (reason,) in _listed(calls, "reason"))
