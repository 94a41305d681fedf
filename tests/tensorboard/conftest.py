"""A logdir to ask about, and a cache of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tensorboard.support import FILE, trace_text, write


@pytest.fixture(autouse=True)
def cache_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A cache for one test, also for the processes that it starts."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GENSCOPE_CACHE", str(folder))
    yield folder


@pytest.fixture
def logdir(tmp_path: Path) -> Path:
    """Two runs, one with twice the work of the other."""
    write(tmp_path / "base" / FILE, trace_text(4))
    write(tmp_path / "new" / f"{FILE}.gz", trace_text(2))
    return tmp_path
