"""Serving one file to the Perfetto UI: to its pages alone, and no other file."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote

import pytest

from genscope.perfetto.serve import UI, Serving

CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    path = tmp_path / "run 1&2.pftrace"
    path.write_bytes(CONTENT)
    (tmp_path / "secret.txt").write_text("secret")
    with Serving(str(path), port=0) as one:
        yield one


def ask(
    serving: Serving, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=20)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_the_ui_gets_the_file_and_serving_is_done(serving: Serving) -> None:
    assert not serving.wait(0)
    status, headers, body = ask(serving, serving.place, {"Origin": UI})
    assert (status, body) == (200, CONTENT)
    assert headers["Access-Control-Allow-Origin"] == UI
    assert serving.wait(20)


def test_the_link_names_the_file_as_it_is_served(serving: Serving) -> None:
    ui, _, query = serving.link.partition("/#!/?")
    assert ui == UI
    (address,) = parse_qs(query)["url"]
    assert address == f"http://127.0.0.1:{serving.port}{serving.place}"
    assert unquote(serving.place) == "/run 1&2.pftrace"
    assert ask(serving, serving.place)[2] == CONTENT


def test_the_browser_is_told_that_the_ui_may_fetch(serving: Serving) -> None:
    asked = {
        "Origin": UI,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Private-Network": "true",
    }
    status, headers, _ = ask(serving, serving.place, asked, "OPTIONS")
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == UI
    assert headers["Access-Control-Allow-Private-Network"] == "true"
    assert not serving.wait(0)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "elsewhere.example:9001"}, 403),
    ],
)
def test_other_pages_get_nothing(
    serving: Serving, headers: dict[str, str], status: int, method: str
) -> None:
    found, answered, body = ask(serving, serving.place, headers, method)
    assert (found, body) == (status, b"")
    assert "Access-Control-Allow-Origin" not in answered
    assert not serving.wait(0)


@pytest.mark.parametrize(
    "path",
    ["/", "/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt", "//etc/passwd", "/etc/passwd",
     "/run%201&2.pftrace/../secret.txt", "/run%201&2.pftrace?x=../secret.txt", "*"],
)  # fmt: skip
def test_no_other_file_is_served(serving: Serving, path: str) -> None:
    status, _, body = ask(serving, path, {"Origin": UI})
    assert (status, body) == (404, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(serving: Serving, method: str) -> None:
    assert ask(serving, serving.place, {"Origin": UI}, method)[0] == 501


def test_it_is_done_only_when_all_was_fetched(tmp_path: Path) -> None:
    path = tmp_path / "large.pftrace"
    with open(path, "wb") as file:
        file.truncate(1 << 26)
    with Serving(str(path), port=0) as serving:
        with socket.create_connection(("127.0.0.1", serving.port), timeout=20) as listener:
            listener.sendall(
                f"GET {serving.place} HTTP/1.1\r\nHost: 127.0.0.1:{serving.port}\r\n\r\n".encode()
            )
            assert listener.recv(1000).startswith(b"HTTP/1.1 200")
        assert not serving.wait(0.3)
        status, headers, body = ask(serving, serving.place, method="HEAD")
        assert (status, headers["Content-Length"], body) == (200, str(1 << 26), b"")
        assert not serving.wait(0)
        assert len(ask(serving, serving.place)[2]) == 1 << 26
        assert serving.wait(20)


def test_only_this_machine_is_listened_on(serving: Serving) -> None:
    assert serving.address.startswith("http://127.0.0.1:")
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", serving.port), timeout=5):
        pass


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Serving(str(tmp_path / "no.pftrace"), port=0)
