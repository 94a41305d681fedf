"""The cache of keys and values of a decoder."""

from __future__ import annotations

from pathlib import Path

from genscope.analysis.memory.view import memory
from genscope.schema import Component, Document, Site
from genscope.trace import Trace
from tests.analysis.memory.made import loaded, op
from tests.trace.support import Event, event

LAYERS, BATCH, HEADS, KV_HEADS, DEPTH = 3, 2, 8, 2, 16


def decoder(folder: Path, lengths: list[tuple[int, int]]) -> Trace:
    """Rounds of a decoder, each of LAYERS calls with so many queries and keys."""
    made: list[Event] = []
    at = 0.0
    for step, (q, kv) in enumerate(lengths):
        start = at
        for _ in range(LAYERS):
            shapes = [[BATCH, HEADS, q, DEPTH], *([[BATCH, KV_HEADS, kv, DEPTH]] * 2)]
            made += [
                event(f"genscope.attention#0 self q={q} kv={kv} b={BATCH}", ts=at + 1, dur=8),
                op("aten::scaled_dot_product_attention", shapes, at + 2, 6),
                op("aten::_scaled_dot_product_flash_attention", shapes, at + 3, 4),
            ]
            at += 10
        name = f"genscope.component#0 llm step={step}"
        made.append(event(name, cat="user_annotation", ts=start, dur=at - start))
        at += 5
    site = Site(
        0, component=0, kind="self", heads=HEADS, kv_heads=KV_HEADS, head_dim=DEPTH, causal=True
    )
    told = Document(components=(Component(0, "llm", "Llama"),), sites=(site,))
    return loaded(folder, made, told)


def test_the_cache_grows_with_each_token(tmp_path: Path) -> None:
    found = memory(decoder(tmp_path, [(32, 32), *((1, 32 + n) for n in range(1, 9))]))
    cache = found.kv_cache
    assert cache is not None and (cache.layers, cache.component) == (LAYERS, "llm")
    token = LAYERS * BATCH * KV_HEADS * 2 * DEPTH * 2
    assert cache.bytes_per_token == token == 768
    assert (cache.from_length, cache.to_length) == (33, 40)
    assert (cache.from_bytes, cache.to_bytes) == (33 * token, 40 * token)
    assert "one token after the other" in (found.similarity.reason or "")
    decode = next(stage for stage in found.stages if stage.phase == "decode")
    assert (decode.kv_len_least, decode.kv_len, decode.calls) == (33, 40, 8 * LAYERS)
    assert decode.one_head_bytes == 2 * LAYERS * sum(range(33, 41))
    assert decode.real_bytes == BATCH * HEADS * decode.one_head_bytes


def test_without_decoding_there_is_none(tmp_path: Path) -> None:
    found = memory(decoder(tmp_path, [(32, 32)]))
    assert found.kv_cache is None and "no call decodes" in (found.kv_cache_reason or "")
