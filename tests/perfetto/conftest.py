from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.perfetto import oracle


@pytest.fixture(scope="module", autouse=True)
def no_events_kept() -> Iterator[None]:
    """Let go of what was recounted: as objects it is much, and slows down whatever comes after."""
    yield
    oracle.plain.cache_clear()
