"""What every answer has, whatever was asked: headers, methods, compression, no traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genscope.analysis.results import Comparison
from tests.tensorboard.support import (
    DATA,
    FILE,
    client,
    compared,
    operators,
    settled,
)

ROUTES = [
    "runs",
    "operators",
    "overview",
    "compare",
    "cancel",
    f"operators?run=base/{FILE}",
    f"overview?run=base/{FILE}&pass=forward",
    f"timeline?run=base/{FILE}&from_ns=0&to_ns=1000",
    f"cancel?run=base/{FILE}",
    "index.js",
    "assets/x.js",
]


def test_data_are_nothing_to_a_browser_that_is_led_to_show_them(logdir: Path) -> None:
    of = client(logdir)
    for response in (of.get(f"{DATA}/runs"), operators(of, f"base/{FILE}"), operators(of, "no")):
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_has_the_headers_that_tensorboard_asks_for(logdir: Path, route: str) -> None:
    response = client(logdir).get(f"{DATA}/{route}")
    assert response.headers["Content-Type"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    if response.mimetype == "application/json":
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("route", ROUTES)
def test_head_has_the_headers_and_no_body(logdir: Path, route: str) -> None:
    of = client(logdir)
    get = settled(lambda: of.get(f"{DATA}/{route}"))
    head = of.head(f"{DATA}/{route}")
    assert head.status_code == get.status_code
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.data == b""


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_are_refused(logdir: Path, route: str, method: str) -> None:
    response = client(logdir).open(f"{DATA}/{route}", method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_answers_are_compressed_for_clients_that_take_it(logdir: Path) -> None:
    of = client(logdir)
    assert "Content-Encoding" not in of.get(f"{DATA}/runs").headers
    response = of.get(f"{DATA}/runs", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"


def test_a_mistake_of_ours_is_no_traceback_for_the_client(
    logdir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Comparison:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("genscope.tensorboard.plugin.compare", broken)
    response = compared(client(logdir), f"base/{FILE}")
    assert response.status_code == 500
    assert "ZeroDivisionError" in response.json["error"]["message"]
    assert "Traceback" not in response.text
    assert "secret detail" in caplog.text
