"""`genscope open`: what it prints, when it ends, and what it refuses."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from genscope.cli.main import main
from genscope.cli.open import can_show
from genscope.perfetto import serve
from genscope.trace import load
from tests.trace.protobuf import begin, end, process, thread
from tests.trace.protobuf import trace as native
from tests.trace.support import document, event

NATIVE = native(
    [process(1, 5, "python"), thread(10, 5, 6, "main", 1), begin(1, "aten::mm"), end(9)]
)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A free port in place of the real one, on a machine without a screen."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        free: int = one.getsockname()[1]
    monkeypatch.setattr(serve, "PORT", free)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    return free


def opened(argv: list[str], said: Callable[[], str], ui: str = serve.UI) -> tuple[int, str, bytes]:
    """Run the command until its link was fetched: exit status, what it said, what was served."""
    status: list[int] = []
    running = threading.Thread(target=lambda: status.append(main(["open", *argv])))
    running.start()
    out, body = "", b""
    for _ in range(3000):
        out += said()
        if "Waiting" in out or not running.is_alive():
            break
        time.sleep(0.02)
    links = [line.strip() for line in out.splitlines() if "/#!/?url=" in line]
    if links:
        page, _, query = links[0].partition("/#!/?")
        assert page.endswith(ui)
        request = urllib.request.Request(parse_qs(query)["url"][0], headers={"Origin": serve.UI})
        if ui != serve.UI:
            request.headers["Origin"] = ui
        with urllib.request.urlopen(request, timeout=20) as answer:
            body = answer.read()
    running.join(60)
    assert not running.is_alive()
    return status[0], out + said(), body


@pytest.mark.parametrize("kind", ["native", "json"])
def test_a_trace_is_served_as_it_is_and_the_command_ends(
    kind: str, port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = NATIVE if kind == "native" else document([event()])
    path = tmp_path / ("t.pftrace" if kind == "native" else "t.json")
    path.write_bytes(content)
    status, out, body = opened([str(path)], lambda: capsys.readouterr().out)
    assert (status, body) == (0, content)
    assert f"ssh -N -L {port}:127.0.0.1:{port} " in out
    assert out.endswith("The UI has the trace.\n")


def test_a_json_trace_can_be_annotated_first(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "w.1.pt.trace.json"
    path.write_bytes(document([event("aten::mm", ts=1, dur=5)]))
    status, out, body = opened([str(path), "--annotated"], lambda: capsys.readouterr().out)
    assert status == 0
    assert f":{port}/w.1.pftrace" in out
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "again.pftrace").write_bytes(body)
    again = load(tmp_path / "again.pftrace")
    assert [again.name_of(row) for row in range(len(again.events))] == ["aten::mm"]
    assert b"genscope.category" in body


def test_a_directory_with_one_trace_and_a_ui_of_ones_own(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.pftrace").write_bytes(NATIVE)
    own = "http://localhost:10000"
    argv = [str(tmp_path), "--ui", own]
    status, out, body = opened(argv, lambda: capsys.readouterr().out, own)
    assert (status, body) == (0, NATIVE)
    assert f"{own}/#!/?url=http://127.0.0.1:{port}/t.pftrace" in out


def test_a_browser_is_opened_where_there_is_a_screen(
    port: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", lambda link, new: [shown.append(link)] == [None])
    path = tmp_path / "t.pftrace"
    path.write_bytes(NATIVE)
    status, out, _ = opened([str(path)], lambda: capsys.readouterr().out)
    assert status == 0
    assert shown == [f"{serve.UI}/#!/?url=http://127.0.0.1:{port}/t.pftrace"]
    assert "ssh" not in out


def test_a_port_in_use_is_named(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.pftrace"
    path.write_bytes(NATIVE)
    with serve.Serving(str(path), port=port):
        assert main(["open", str(path)]) == 2
    assert f"port {port} of this machine is in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["no.pftrace"], "No such file"),
        (["s3://bucket/t.pftrace"], "copy it here"),
        (["t.pftrace", "--ui", "javascript:alert(1)"], "must begin with https"),
        (["t.pftrace", "--annotated"], "is for JSON traces"),
    ],
)
def test_what_cannot_be_opened_is_said_in_a_line(
    argv: list[str],
    word: str,
    port: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.pftrace").write_bytes(NATIVE)
    assert main(["open", *argv]) == 2
    said = capsys.readouterr()
    assert word in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_where_a_browser_would_be_seen() -> None:
    assert can_show({"DISPLAY": ":0"}, "linux")
    assert can_show({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert can_show({}, "darwin")
    assert not can_show({}, "linux")
    assert not can_show({"SSH_CONNECTION": "1 2 3 4"}, "darwin")
