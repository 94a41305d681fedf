"""The cache of keys and values of a decoder, from the lengths and heads of its calls."""

from __future__ import annotations

import numpy as np

from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.phases import DECODE
from genscope.analysis.attention.units import units_of
from genscope.analysis.attention.where import FORWARD_PASSES, in_passes
from genscope.analysis.memory.results import KvCache
from genscope.analysis.memory.stages import WIDTH
from genscope.trace.model import Int64, Trace

NO_DECODE = "no call decodes: no keys grow from token to token"
NO_HEADS = "heads, batch or dtype of the calls that decode are not known"
NO_ROUNDS = "nothing tells how many calls a token takes"


def kv_cache_of(trace: Trace, calls: Calls) -> KvCache | str:
    """Size the cache of the component that decodes most; a text says why it is not known."""
    decodes = in_passes(calls, FORWARD_PASSES) & calls.is_word("phase", DECODE)
    places = np.flatnonzero(decodes & ~calls.is_word("kind", "cross"))
    places = places[calls.sizes["kv_len"][places] >= 0]
    if not len(places):
        return NO_DECODE
    which = np.unique(calls.texts["component"][places], return_inverse=True)[1].reshape(-1)
    places = places[which == int(np.bincount(which).argmax())]
    layers = _layers(trace, calls, places)
    if layers is None:
        return NO_ROUNDS
    at = int(places[0])
    batch, heads, depth = (int(calls.sizes[name][at]) for name in ("batch", "kv_heads", "head_dim"))
    values = int(calls.sizes["v_head_dim"][at])
    dtype = calls.text("dtype", at)
    width = WIDTH.get(dtype or "")
    if dtype is None or width is None or min(batch, heads, depth) <= 0:
        return NO_HEADS
    values = depth if values <= 0 else values
    token = layers * batch * heads * (depth + values) * width
    lengths = calls.sizes["kv_len"][places]
    low, high = int(lengths.min()), int(lengths.max())
    return KvCache(
        component=calls.text("component", at),
        layers=layers,
        batch=batch,
        kv_heads=heads,
        head_dim=depth,
        v_head_dim=values,
        dtype=dtype,
        bytes_per_token=token,
        from_length=low,
        to_length=high,
        from_bytes=token * low,
        to_bytes=token * high,
    )


def _layers(trace: Trace, calls: Calls, places: Int64) -> int | None:
    """Calls of one round: of a unit, else those in a row that see as many keys."""
    unit = units_of(trace).around(trace, calls.row[places])
    if (unit < 0).any():
        unit = np.cumsum(np.r_[True, np.diff(calls.sizes["kv_len"][places]) != 0])
    counts = np.unique(np.unique(unit, return_counts=True)[1], return_counts=True)
    return int(counts[0][int(counts[1].argmax())]) if len(counts[0]) else None
