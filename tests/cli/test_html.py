from __future__ import annotations

import base64
import hashlib
import os
import pty
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genscope.analysis.operators import breakdown
from genscope.analysis.results import Comparison, Operators, Overview
from genscope.cli import html, html_views
from genscope.cli.main import main
from genscope.trace import load
from tests.analysis.speedup.unet import recorded_pair
from tests.cli.run import COMMAND, environment


class Data(msgspec.Struct):
    page: str
    operators: dict[str, Operators]
    overview: dict[str, Overview]
    compare: dict[str, Comparison]
    views: dict[str, dict[str, Any]]


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and what scripts hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.is_script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.is_script = tag == "script"
        if self.is_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.is_script = False

    def handle_data(self, data: str) -> None:
        if self.is_script:
            self.scripts[-1] += data

    def data(self) -> Data:
        return msgspec.json.decode(self.scripts[0], type=Data)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small script in place of the built one, with what would end a script element in it."""
    path = tmp_path / "report.js"
    path.write_text('const text = "</script><!-- µ";\n', "utf-8")
    monkeypatch.setattr(html, "SCRIPT", path)
    return html.script()


def test_a_report_holds_the_results_of_the_analysis_and_one_script(
    recorded: Path, tmp_path: Path, built: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.html"
    assert main(["report", str(recorded), "--format", "html", "-o", str(out)]) == 0
    assert capsys.readouterr() == ("", "")
    page = Page(out.read_text("utf-8"))
    data = page.data()
    assert data.page == "operators"
    assert list(data.operators.values()) == [breakdown(load(recorded))]
    (overview,) = data.overview.values()
    assert overview.basis == "cpu_self"
    assert page.scripts[1:] == [built]
    assert {tag for tag, _ in page.found} <= {
        *("html", "head", "meta", "title", "body", "noscript", "script")
    }
    assert not any("src" in attrs or "href" in attrs for _, attrs in page.found)


def test_the_policy_of_a_report_lets_only_its_own_script_run(
    recorded: Path, built: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(recorded), "--format", "html", "--view", "overview"]) == 0
    page = Page(capsys.readouterr().out)
    assert page.data().page == "overview"
    (policy,) = (
        attrs["content"] or ""
        for _, attrs in page.found
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}';" in policy
    assert not re.search(r"https?:|\*|unsafe-eval", policy)


def test_names_of_a_trace_cannot_end_the_data_of_a_report(
    tmp_path: Path, built: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "</script><script>hurt()</script><!--&lt;\u2028"
    event = {"ph": "X", "cat": "kernel", "name": name, "pid": 0, "tid": 7, "ts": 1, "dur": 5}
    event["args"] = {"device": 0, "stream": 7}
    folder = tmp_path / "<img src=x>"
    folder.mkdir()
    for run in ("a", "b"):
        path = folder / f"{run}.json"
        path.write_bytes(msgspec.json.encode({"schemaVersion": 1, "traceEvents": [event]}))
    assert (
        main(["compare", str(folder / "a.json"), str(folder / "b.json"), "--format", "html"]) == 0
    )
    out = capsys.readouterr().out
    page = Page(out)
    assert len(page.scripts) == 2
    assert "\u2028" not in out and "<img" not in out
    operators = page.data().operators
    assert set(operators) == {"a", "b"}
    assert name in msgspec.json.encode(operators["a"]).decode()


def test_any_run_of_a_report_can_be_the_base(
    recorded: Path, tmp_path: Path, built: str, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / f"{run}.pt.trace.json" for run in ("first", "other")]
    for path in paths:
        path.write_bytes(recorded.read_bytes())
    assert main(["compare", *map(str, paths), "--format", "html"]) == 0
    compare = Page(capsys.readouterr().out).data().compare
    assert {base: [run.run for run in each.runs] for base, each in compare.items()} == {
        "first": ["first", "other"],
        "other": ["first", "other"],
    }
    assert {each.base for each in compare.values()} == {"first", "other"}


def test_without_the_built_pages_one_line_says_what_to_do(
    recorded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(html, "SCRIPT", tmp_path / "report.js")
    assert main(["report", str(recorded), "--format", "html"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1 and "npm run build" in err


def test_a_terminal_is_not_flooded_with_html(recorded: Path) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*COMMAND, "report", str(recorded), "--format", "html"],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1 and b"-o FILE" in done.stderr


def test_a_trace_is_not_overwritten_by_its_report(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "w.pt.trace.json"
    path.write_bytes(recorded.read_bytes())
    assert main(["report", str(path), "-o", str(path)]) == 2
    assert path.read_bytes() == recorded.read_bytes()
    assert "cannot be what is written" in capsys.readouterr().err


@pytest.mark.parametrize("style", ["text", "json", "markdown"])
def test_any_format_can_go_to_a_file(
    recorded: Path, tmp_path: Path, style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["report", str(recorded), "--format", style]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert main([*arguments, "-o", str(out)]) == 0
    assert capsys.readouterr().out == ""
    assert out.read_text("utf-8") == said


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("pair")
    recorded_pair(folder)
    return str(folder / "math"), str(folder / "flash")


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What a view says on the command line."""
    assert main(["report", *arguments, "--format", "json"]) == 0
    found: dict[str, Any] = msgspec.json.decode(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    ("view", "page"),
    [
        ("attention", "attention"),
        ("sequence", "attention"),
        ("phases", "phases"),
        ("spatial-temporal", "spacetime"),
        ("speedup", "speedup"),
        ("memory", "memory"),
        ("scaling", "scaling"),
    ],
)
def test_a_report_opens_with_the_page_of_its_view(
    recorded: Path, built: str, view: str, page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(recorded), "--view", view, "--format", "html"]) == 0
    assert Page(capsys.readouterr().out).data().page == page


def test_a_report_has_the_attention_of_each_run(
    recorded: Path, built: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(recorded), "--format", "html"]) == 0
    views = Page(capsys.readouterr().out).data().views
    told = as_json(capsys, str(recorded), "--view", "attention")
    assert views["attention"] == {"tiny": {**told, "calls": []}}
    assert views["calls"]["tiny"]["calls"] == told["calls"] != []
    for view in ("sequence", "phases", "spatial-temporal", "memory", "memory-growth", "scaling"):
        assert views[view] == {"tiny": as_json(capsys, str(recorded), "--view", view)}
    told = as_json(capsys, str(recorded), "--view", "speedup")
    assert views["prediction"] == {"tiny": told}
    assert "speedup" not in views


def test_a_report_of_a_pair_has_its_speedup_call_by_call(
    pair: tuple[str, str], built: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [pair[1], "--view", "speedup", "--against", pair[0]]
    told = as_json(capsys, *command)
    assert main(["report", *command, "--format", "html"]) == 0
    data = Page(capsys.readouterr().out).data()
    base, fused = data.operators
    assert "math" in base and "flash" in fused and data.page == "speedup"
    both = f"{base}\n{fused}"
    assert data.views["speedup"] == {both: {**told, "calls": [], "unaligned": []}}
    assert data.views["aligned"][both]["calls"] == told["calls"]
    assert data.views["unaligned"][both]["calls"] == told["unaligned"]
    for ids in (both, f"{fused}\n{base}"):
        ((found),) = data.views["pairs"][ids]["pairs"]
        assert (found["baseline"], found["fused"]) == (base, fused)
    from_pair = data.views["prediction"][f"{base}\n{both}"]
    assert {run["implementation"] for run in from_pair["predicted"]} == {"math", "flash"}


def test_long_lists_of_a_report_are_cut_and_say_how_long_they_are(
    pair: tuple[str, str],
    built: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(html_views, "MAX_CALLS", 4)
    assert main(["compare", *pair, "--format", "html"]) == 0
    views = Page(capsys.readouterr().out).data().views
    for route in ("calls", "aligned"):
        for answer in views[route].values():
            assert (answer["total"], answer["first"], len(answer["calls"])) == (9, 0, 4)
    (speedup,) = views["speedup"].values()
    assert speedup["aligned"] == 9
