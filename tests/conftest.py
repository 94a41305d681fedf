from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import paths

# Read by torch and numpy when they are imported, so it is set before any test module is.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def own_cache() -> Iterator[None]:
    """Keep what TensorBoard processes of the tests read out of the user's cache."""
    with tempfile.TemporaryDirectory(prefix="genscope-cache-") as folder:
        os.environ["GENSCOPE_CACHE"] = folder
        yield
        del os.environ["GENSCOPE_CACHE"]


@pytest.fixture(autouse=True)
def nothing_compiled() -> None:
    """Forget what other tests compiled: collectors leave alone where torch.compile was used."""
    dynamo = sys.modules.get("torch._dynamo")
    if dynamo is not None:
        dynamo.reset()


@pytest.fixture(scope="module", autouse=True)
def nothing_kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let go of what a module's tests have remembered.

    Millions of objects that stay make every later collection of garbage, so every test, slower.
    """
    yield
    for value in list(vars(request.module).values()):
        if hasattr(value, "cache_clear") and value.__module__ != "tests.loaded":
            value.cache_clear()


@pytest.fixture(scope="session")
def shared_traces() -> Path:
    """The folder of public traces; the test is skipped without it, and fails in CI."""
    folder = paths.shared_traces()
    if folder is None:
        missing = "no ../shared/traces beside the checkout, and GENSCOPE_TRACES names no folder"
        if paths.in_ci():
            pytest.fail(missing)
        pytest.skip(missing)
    return folder
