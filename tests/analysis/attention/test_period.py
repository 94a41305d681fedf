"""The fundamental period is right, or none is named."""

from __future__ import annotations

import random

import numpy as np
import pytest

from genscope.analysis.attention.growth import find_growth
from genscope.analysis.attention.period import find_period

STABLE_DIFFUSION = [4096] * 2 + [1024] * 2 + [256] * 2 + [64] + [256] * 3 + [1024] * 3 + [4096] * 3
"""Self attention of a step of the SD v1 UNet at 512 x 512."""

LENGTHS = [16, 32, 64, 77, 128, 256, 333, 512, 1024, 4096]


def primitive(pattern: list[int]) -> bool:
    """Whether a pattern is not itself a shorter one repeated."""
    n = len(pattern)
    return not any(n % d == 0 and pattern == pattern[:d] * (n // d) for d in range(1, n))


def made_pattern(chance: random.Random) -> list[int]:
    """Return a pattern of single calls, or of runs as layers of a stage make them."""
    while True:
        size = chance.randint(1, 40)
        lengths = chance.sample(LENGTHS, chance.randint(1, 5))
        if chance.random() < 0.5:
            pattern = [chance.choice(lengths) for _ in range(size)]
        else:
            pattern = []
            while len(pattern) < size:
                pattern += [chance.choice(lengths)] * chance.randint(1, 8)
        if primitive(pattern):
            return pattern


def damaged(pattern: list[int], chance: random.Random) -> list[int]:
    """Repeat a pattern with warm-up before it, a missing call, and calls of other lengths."""
    calls = pattern * chance.randint(4, 20)
    if chance.random() < 0.5 and len(calls) > 3:
        del calls[chance.randrange(len(calls))]
    if chance.random() < 0.5:
        for _ in range(max(1, len(calls) // 50)):
            calls[chance.randrange(len(calls))] = chance.choice([11, 13, 17])
    warm_up = [chance.choice([5, 9, 77]) for _ in range(chance.randint(0, len(pattern)))]
    return warm_up + calls


@pytest.mark.parametrize("part", range(10))
def test_right_or_none(part: int) -> None:
    """A thousand made sequences in ten parts; most of them have to be answered."""
    silent = 0
    for seed in range(100 * part, 100 * (part + 1)):
        chance = random.Random(seed)
        pattern = made_pattern(chance)
        period = find_period(np.array(damaged(pattern, chance)))
        if period is None:
            silent += 1
        else:
            assert period.length == len(pattern), (seed, pattern, period)
    assert silent <= 15


def test_stable_diffusion() -> None:
    warm_up = [77] * 12
    period = find_period(np.array(warm_up + STABLE_DIFFUSION * 5))
    assert period is not None
    assert (period.length, period.start, period.repeats, period.edits) == (16, 12, 5.0, 0)


def test_long_runs_are_not_alike() -> None:
    """SDXL at 1,024: 140 calls a step, of which 120 in a row are the same."""
    period = find_period(np.array(([4096] * 20 + [1024] * 120) * 3))
    assert period is not None
    assert period.length == 140


def test_all_alike() -> None:
    period = find_period(np.array([256] * 30))
    assert period is not None
    assert (period.length, period.covered) == (1, 30)


def test_nothing_repeats() -> None:
    chance = random.Random(1)
    assert find_period(np.array([chance.randrange(10_000) for _ in range(300)])) is None
    assert find_period(np.array([5])) is None
    assert find_period(np.zeros(0, dtype=np.int64)) is None


@pytest.mark.parametrize("layers", [1, 2, 12])
def test_growth_with_every_token(layers: int) -> None:
    lengths = np.array([kv for kv in range(512, 560) for _ in range(layers)])
    growth = find_growth(lengths)
    assert growth is not None
    assert (growth.length, growth.by) == (layers, 1)
    assert (growth.first, growth.last) == (512, 559)
    assert find_period(lengths) is None


def test_patterns_do_not_grow() -> None:
    assert find_growth(np.array(STABLE_DIFFUSION * 6)) is None
    assert find_growth(np.array([1] * 100)) is None
