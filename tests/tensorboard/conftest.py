"""No test leaves anything in the cache of whoever runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A cache for one test, also for the processes that it starts."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GENSCOPE_CACHE", str(folder))
    yield folder
