from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.record import record


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace that torch.profiler wrote on the CPU just now."""
    path = tmp_path_factory.mktemp("recorded") / "tiny.pt.trace.json"
    record(path)
    return path
