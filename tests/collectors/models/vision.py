"""Vision models of transformers: images, images beside text, and video."""

from __future__ import annotations

import torch
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    TimesformerConfig,
    TimesformerModel,
    ViTConfig,
    ViTModel,
)

from tests.collectors.models.expect import CHAIN, Built, Call, Case, randn, seeded

# CLIP: three images of 3 by 3 patches and a class token; two texts of 7 tokens.


def _build_clip() -> Built:
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=50,
        hidden_size=24,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=3,
        max_position_embeddings=7,
        bos_token_id=48,
        eos_token_id=49,
    )
    vision = CLIPVisionConfig(
        hidden_size=20,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=24,
        patch_size=8,
    )
    config = CLIPConfig(
        text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=16
    )
    model = CLIPModel(config).eval()
    images = randn(3, 3, 24, 24)
    tokens = torch.randint(0, 48, (2, 7), generator=seeded())
    tokens[:, -1] = 49

    def run() -> torch.Tensor:
        logits: torch.Tensor = model(input_ids=tokens, pixel_values=images).logits_per_image
        return logits

    return Built(model, run)


def _clip_calls() -> list[Call]:
    vision = [
        Call(
            "image_encoder",
            f"encoder.layers.{layer}.self_attn",
            "self",
            "spatial",
            3,
            2,
            10,
            10,
            10,
        )
        for layer in range(2)
    ]
    text = Call(
        "text_encoder",
        "encoder.layers.0.self_attn",
        "self",
        "sequence",
        2,
        3,
        7,
        7,
        8,
        causal=True,
    )
    return [*vision, text]


# ViT: two images of 4 by 4 patches and a class token.


def _build_vit() -> Built:
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=36,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    model = ViTModel(config, add_pooling_layer=False).eval()
    images = randn(2, 3, 32, 32)

    def run() -> torch.Tensor:
        hidden: torch.Tensor = model(images).last_hidden_state
        return hidden

    return Built(model, run)


def _vit_calls() -> list[Call]:
    return [
        Call("vit", f"layers.{layer}.attention", "self", "spatial", 2, 4, 17, 17, 9)
        for layer in range(3)
    ]


# TimeSformer: two videos of 5 frames of 4 by 4 patches; a class token in space alone. No SDPA.


def _build_timesformer() -> Built:
    torch.manual_seed(0)
    config = TimesformerConfig(
        hidden_size=24,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=3,
        image_size=32,
        patch_size=8,
        num_frames=5,
    )
    model = TimesformerModel(config).eval()
    videos = randn(2, 5, 3, 32, 32)

    def run() -> torch.Tensor:
        hidden: torch.Tensor = model(videos).last_hidden_state
        return hidden

    return Built(model, run)


def _timesformer_calls() -> list[Call]:
    calls = []
    for layer in range(2):
        for name, axis, batch, length in (
            ("temporal_attention", "temporal", 2 * 16, 5),
            ("attention", "spatial", 2 * 5, 17),
        ):
            path = f"encoder.layer.{layer}.{name}.attention"
            calls.append(
                Call(
                    "timesformer",
                    path,
                    "self",
                    axis,
                    batch,
                    3,
                    length,
                    length,
                    8,
                    causal=None,
                    op=CHAIN,
                )
            )
    return calls


CASES = (
    Case("clip", _build_clip, _clip_calls),
    Case("vit", _build_vit, _vit_calls),
    Case("timesformer", _build_timesformer, _timesformer_calls),
)
