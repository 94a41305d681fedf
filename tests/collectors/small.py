"""Small models that the tests of `annotate` share: built in milliseconds, random weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Block(nn.Module):
    """A module with children that are leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 4)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.inner(hidden).relu()
        return result


class TinyModel(nn.Module):
    """Two blocks in a sequence, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Block(), Block())
        self.out = nn.Linear(4, 4)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.out(self.blocks(hidden))
        return result


class Coder(nn.Module):
    """Called through its methods, never as a module."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Block()
        self.decoder = Block()

    def encode(self, hidden: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.encoder(hidden)
        return result

    def decode(self, hidden: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.decoder(hidden)
        return result

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(hidden))


class Raising(nn.Module):
    """Raises what it is given, from within a module of its own."""

    class Inner(nn.Module):
        def __init__(self, error: BaseException) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 4)
            self.error = error

        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            self.linear(hidden)
            raise self.error

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.inner = self.Inner(error)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.inner(hidden)
        return result


def seeded(model: type[nn.Module], *args: Any) -> Any:
    torch.manual_seed(0)
    return model(*args).eval()


def unet() -> Any:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=8,
    ).eval()


def unet_inputs(batch: int = 1) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "sample": torch.randn(batch, 4, 8, 8, generator=generator),
        "timestep": torch.tensor([7]),
        "encoder_hidden_states": torch.randn(batch, 5, 16, generator=generator),
    }


def llama() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=40,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=64,
            eos_token_id=None,
        )
    ).eval()


def tokens(length: int = 6) -> torch.Tensor:
    return torch.randint(0, 40, (1, length), generator=torch.Generator().manual_seed(0))
