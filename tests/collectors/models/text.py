"""Tiny text encoders, and tokenizers that need no download: they know single letters alone."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

PROMPT = "a red cat"


def clip_tokenizer(length: int) -> Any:
    """Return a CLIP tokenizer that pads to `length` tokens."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    # CLIP marks the last piece of a word.
    pieces = [*ascii_lowercase, *(letter + "</w>" for letter in ascii_lowercase), start, end]
    with tempfile.TemporaryDirectory() as folder:
        vocab, merges = Path(folder, "vocab.json"), Path(folder, "merges.txt")
        vocab.write_text(json.dumps({piece: n for n, piece in enumerate(pieces)}))
        merges.write_text("#version: 0.2\n")
        return CLIPTokenizer(str(vocab), str(merges), model_max_length=length)


def clip_text(tokenizer: Any, *, layers: int, width: int, heads: int, projected: int = 0) -> Any:
    """Return a CLIP text model; with `projected` channels, one that also projects its output."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=tokenizer.model_max_length,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        projection_dim=projected or width,
    )
    model = CLIPTextModelWithProjection if projected else CLIPTextModel
    return model(config).eval()


def t5_tokenizer() -> Any:
    pieces = ["<pad>", "</s>", "<unk>", "▁", *ascii_lowercase]
    return T5Tokenizer(vocab=[(piece, -float(n)) for n, piece in enumerate(pieces)], extra_ids=0)


def t5_encoder(tokenizer: Any, *, layers: int, width: int, heads: int, head_width: int) -> Any:
    return T5EncoderModel(
        T5Config(
            vocab_size=len(tokenizer),
            d_model=width,
            d_kv=head_width,
            d_ff=2 * width,
            num_layers=layers,
            num_heads=heads,
        )
    ).eval()
