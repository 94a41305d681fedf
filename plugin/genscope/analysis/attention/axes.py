"""What attention runs along: a text, an image's positions, frames, or positions and frames.

Told from the lengths: the same tokens seen once with the frames in the batch and once with the
positions in the batch are a video's spatial and temporal attention; a length that is the area of
a feature map of the convolutions around it is spatial.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.layouts import Layout
from genscope.analysis.attention.operands import Operands, Source
from genscope.analysis.chains import parse_dims
from genscope.trace.model import NONE, Bool, Int64, Kind, Trace

SEQUENCE, SPATIAL, TEMPORAL, SPATIOTEMPORAL = "sequence", "spatial", "temporal", "spatiotemporal"

_CONVOLUTIONS = ("aten::conv2d", "aten::conv3d", "aten::convolution", "aten::_convolution")
_CLASS_TOKENS = (0, 1, 2, 4, 5)
"""Tokens beside an image's: none, a class token, a distillation token, registers."""

_LEAST = 4
"""Tokens below which no feature map is looked for."""

NO_GRID = "no feature map tells what its tokens are"

_BY_LAYOUT: Mapping[int, str] = {
    Layout.PLANE: SPATIAL,
    Layout.VOLUME: SPATIOTEMPORAL,
    Layout.LINE: TEMPORAL,
}


@dataclass(frozen=True, slots=True)
class Grids:
    """Positions of the feature maps of a trace's convolutions."""

    areas: set[int]
    """Of a frame: of the maps that go in and come out, and a quarter of each, since transformers
    on latents often take two by two of their positions as one token."""
    volumes: set[int]
    """Of all frames, where there are any."""
    stacks: set[tuple[int, int]]
    """(maps in a batch, positions of a frame): frames may stand in the batch of a convolution."""

    def is_volume(self, batch: int, positions: int) -> bool:
        """Whether that many tokens are the positions of several frames of a batch."""
        if positions in self.volumes:
            return True
        return batch > 0 and any(
            maps % batch == 0 and maps > batch and maps // batch * area == positions
            for maps, area in self.stacks
        )


def joint_lengths(calls: Calls, grids: Grids, operands: Operands) -> dict[tuple[int, int], int]:
    """(component, q_len) of calls on an image's positions and a text's tokens, to the tokens.

    Where two sequences were joined, the one that is no feature map is the text. Elsewhere the
    tokens are as many as another component's sequences are long, or two others' together.
    """
    q, kv, component = calls.sizes["q_len"], calls.sizes["kv_len"], calls.texts["component"]
    found: dict[tuple[int, int], int] = {}
    for place in np.flatnonzero(operands.is_of(Source.JOINED)).tolist():
        key = (int(component[place]), int(q[place]))
        if key not in found:
            pieces = operands.pieces[place].tolist()
            batch = int(calls.sizes["batch"][place])
            maps = [one in grids.areas or grids.is_volume(batch, one) for one in pieces]
            if maps[0] != maps[1]:
                found[key] = pieces[maps.index(False)]
    same = np.flatnonzero((q > 3) & (q == kv))
    pairs = {(int(component[place]), int(q[place])) for place in same.tolist()}
    for part, length in pairs:
        texts = {n for other, n in pairs if other != part and n not in grids.areas}
        sums = texts | {a + b for a in texts for b in texts if a != b}
        for tokens in sorted(sums):
            rest = length - tokens
            if rest > 3 and (rest in grids.areas or rest in grids.volumes):
                found.setdefault((part, length), tokens)
    return found


def decide_axes(
    calls: Calls,
    grids: Grids,
    joint: Mapping[tuple[int, int], int],
    layouts: npt.NDArray[np.int8],
) -> Bool:
    """Fill the column `axis` of calls whose lengths are known.

    `joint` has the (component, q_len) of calls on an image and a text, and the text's tokens;
    `layouts`, shape (c,), how the tokens of each call were laid out. Returns which calls, shape
    (c,), are taken for a text's only because nothing tells otherwise.
    """
    known = np.flatnonzero(calls.has_shape & (calls.texts["axis"] < 0))
    q, batch = calls.sizes["q_len"], calls.sizes["batch"]
    component = calls.texts["component"]
    own = known[~calls.is_word("kind", "cross")[known]]
    groups: dict[int, set[tuple[int, int]]] = {}
    for place in own.tolist():
        groups.setdefault(int(component[place]), set()).add((int(batch[place]), int(q[place])))
    temporal: dict[int, dict[tuple[int, int], str]] = {
        part: _space_and_time(pairs) for part, pairs in groups.items()
    }
    is_joint = calls.is_word("kind", "joint")
    cache: dict[tuple[int, int, int, bool, bool, int], int] = {}
    plain: dict[tuple[int, int, int, bool, bool, int], bool] = {}
    assumed = np.zeros(len(calls), dtype=np.bool_)
    windows = _windowed(calls, own, grids.areas)
    for place in known.tolist():
        key = (
            int(component[place]),
            int(batch[place]),
            int(q[place]),
            bool(calls.causal[place] == 1),
            bool(is_joint[place]),
            int(layouts[place]),
        )
        if key not in cache:
            part, rows, length, causal, joined, layout = key
            axis: str | None = _BY_LAYOUT.get(layout) or temporal.get(part, {}).get((rows, length))
            if axis is None:
                tokens = joint.get((part, length), 0)
                axis = _by_grid(rows, length - tokens, causal, grids)
                if axis == SEQUENCE and (part, rows, length) in windows:
                    axis = SPATIAL
                elif axis == SEQUENCE and joined:
                    # An image and a text: whether it has frames, nothing tells.
                    axis = None
            cache[key] = calls.words.number(axis)
            plain[key] = axis == SEQUENCE and not causal and length >= _LEAST
        calls.texts["axis"][place] = cache[key]
        assumed[place] = plain[key]
    return assumed


def doubt_axes(calls: Calls, assumed: Bool) -> None:
    """Take back the axis of a denoiser's calls that were taken for a text's for want of a clue."""
    doubted = np.flatnonzero(assumed & calls.is_word("phase", "denoise"))
    calls.texts["axis"][doubted] = NONE
    reason = calls.texts["reason"]
    for number in np.unique(reason[doubted]).tolist():
        before = calls.words.text(number)
        said = f"{before}; {NO_GRID}" if before else NO_GRID
        reason[doubted[reason[doubted] == number]] = calls.words.number(said)


def _windowed(calls: Calls, own: Int64, areas: set[int]) -> set[tuple[int, int, int]]:
    """(component, batch, q_len) of calls on square windows of a map that others see whole.

    With `w` windows of `n` positions in a batch, w·n is at least the map's area, and less than
    twice (windows at the edge are padded).
    """
    q, batch = calls.sizes["q_len"], calls.sizes["batch"]
    seen = {
        (int(calls.texts["component"][place]), int(batch[place]), int(q[place]))
        for place in own.tolist()
        if calls.causal[place] != 1
    }
    found = set()
    for part, count, length in seen:
        side = math.isqrt(length)
        if side < 2 or side * side != length or count < 2:
            continue
        for other, whole_batch, area in seen:
            if other == part and area in areas and whole_batch > 0 and count % whole_batch == 0:
                covered = count // whole_batch * length
                if length < area <= covered < 2 * area:
                    found.add((part, count, length))
    return found


def _by_grid(batch: int, q_len: int, causal: bool, grids: Grids) -> str:
    if causal or q_len < _LEAST:
        return SEQUENCE
    lengths = [q_len - extra for extra in _CLASS_TOKENS]
    if any(length in grids.areas for length in lengths):
        return SPATIAL
    if any(grids.is_volume(batch, length) for length in lengths):
        return SPATIOTEMPORAL
    return SEQUENCE


def _space_and_time(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Tell which (batch, q_len) are spatial and which temporal.

    With b videos of f frames of n positions, spatial attention has (b·f, n) and temporal (b·n, f);
    n may have a class token more.
    """
    found: dict[tuple[int, int], str] = {}
    listed = [pair for pair in pairs if pair[0] > 0 and pair[1] > 1]
    by_length: dict[int, list[tuple[int, int]]] = {}
    for pair in listed:
        by_length.setdefault(pair[1], []).append(pair)
    for batch, positions in listed:
        for frames in _divisors(batch, by_length):
            videos = batch // frames
            for extra in (0, 1):
                inside = positions - extra
                if inside < 2 or frames >= inside or inside < 1:
                    continue
                other = (videos * inside, frames)
                if other in by_length.get(frames, []) and other != (batch, positions):
                    found[(batch, positions)] = SPATIAL
                    found[other] = TEMPORAL
    return found


def _divisors(batch: int, lengths: Iterable[int]) -> list[int]:
    return [length for length in lengths if batch % length == 0]


def grids_of(trace: Trace) -> Grids:
    """Read the feature maps off the convolutions of a trace."""
    events, strings = trace.events, trace.strings
    wanted = np.array([text in _CONVOLUTIONS for text in strings], dtype=np.bool_)
    rows = np.flatnonzero((events.kind == Kind.CPU_OP) & wanted[events.name] & (events.dims >= 0))
    areas: set[int] = set()
    volumes: set[int] = set()
    stacks: set[tuple[int, int]] = set()
    texts = np.stack([events.dims[rows], events.inputs[rows]], axis=1)
    for dims_at, inputs_at in np.unique(texts, axis=0).tolist():
        dims = parse_dims(strings[dims_at])
        if len(dims) < 2 or len(dims[0]) not in (4, 5) or len(dims[1]) != len(dims[0]):
            continue
        stride = _strides(strings[inputs_at]) if inputs_at >= 0 else None
        given = dims[0][2:]
        step = stride if stride and len(stride) == len(given) else (1,) * len(given)
        made = tuple(max(1, size // max(1, by)) for size, by in zip(given, step, strict=True))
        for size in (given, made):
            area = size[-1] * size[-2]
            areas.update((area, area // 4))
            if len(size) == 2:
                stacks.add((dims[0][0], area))
            if len(size) == 3:
                volumes.update((size[0] * area, size[0] * area // 4))
    return Grids(areas, volumes - areas, stacks)


def _strides(text: str) -> tuple[int, ...] | None:
    """The stride of a convolution from its `Concrete Inputs`."""
    try:
        listed = msgspec.json.decode(text)
        stride = msgspec.json.decode(listed[3]) if len(listed) > 3 and listed[3] else None
    except (msgspec.DecodeError, RecursionError, TypeError):
        return None
    if isinstance(stride, list) and all(type(one) is int for one in stride):
        return tuple(stride)
    return None
