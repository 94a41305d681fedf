"""The routes of the page Paper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.test import Client

from genscope.analysis.paper.results import Taxonomy
from genscope.tensorboard.loader import Loader
from genscope.tensorboard.reading import Progress
from tests.tensorboard.support import DATA, FILE, Watched, client, settled, trace_text, write

RUNS = {"math": "muse/tiny/math", "flash": "muse/tiny/flash"}


def suite_text(attention: str) -> str:
    """A trace that says that it is a run of the suite."""
    trace = json.loads(trace_text())
    extra = {"suite": True, "scale": "tiny", "task": "tiny"}
    workload = {"model": "muse", "attention": attention, "device": "cuda", "extra": extra}
    return json.dumps({"schemaVersion": 1, "genscope": {"workload": workload}} | trace)


@pytest.fixture
def logdir(tmp_path: Path) -> Path:
    """Two runs of the suite, the models' taxonomy, and a trace of something else."""
    for attention, folder in RUNS.items():
        write(tmp_path / folder / f"{FILE}.gz", suite_text(attention))
    write(tmp_path / "other" / FILE)
    empty = msgspec.json.encode(Taxonomy(models=[], libraries={}))
    (tmp_path / "taxonomy.json").write_bytes(empty)
    return tmp_path


@pytest.fixture
def opened() -> list[str]:
    """What was read."""
    return []


@pytest.fixture
def page(logdir: Path, opened: list[str]) -> Client:
    def note(path: str, _: Progress) -> None:
        opened.append(Path(path).relative_to(logdir).parts[0])

    return client(logdir, loader=Loader(Watched(note)))


def asked(page: Client, *runs: str) -> dict[str, Any]:
    answer = settled(lambda: page.get(f"{DATA}/paper", query_string={"run": list(runs)}))
    assert answer.status_code == 200
    return dict(answer.json or {})


def states(found: dict[str, Any]) -> dict[str, str]:
    return {Path(run["id"]).parent.as_posix(): run["state"] for run in found["runs"]}


def read(page: Client, folder: str) -> dict[str, Any]:
    (run,) = (run["id"] for run in asked(page)["runs"] if run["id"].startswith(folder))
    answer = settled(lambda: page.get(f"{DATA}/of-suite", query_string={"run": run}))
    assert answer.status_code == 200
    return dict(answer.json or {})


def test_asking_for_the_report_reads_nothing(page: Client, opened: list[str]) -> None:
    found = asked(page)
    assert states(found) == {RUNS["math"]: "unread", RUNS["flash"]: "unread", "other": "other"}
    assert opened == []
    assert found["settings"] == []
    (left_out,) = found["left_out"]
    assert "first bytes name no model" in left_out["reason"]


def test_what_was_read_is_shown_while_the_rest_is_not(page: Client, opened: list[str]) -> None:
    assert read(page, RUNS["math"])["reason"] is None
    found = asked(page)
    assert states(found)[RUNS["math"]] == "used"
    assert states(found)[RUNS["flash"]] == "unread"
    assert [(one["hardware"], one["runs"]) for one in found["settings"]] == [("Test GPU", 1)]
    read(page, RUNS["flash"])
    assert asked(page)["settings"][0]["runs"] == 2
    assert opened == ["muse", "muse"]


def test_further_runs_are_recorded_beside_those_that_are_there(page: Client, logdir: Path) -> None:
    read(page, RUNS["math"])
    (panels,) = asked(page)["figures"]["measured"]
    (need,) = panels["growth"]["needs"]
    assert need["command"].endswith(f"-o {logdir}")


def test_a_trace_of_something_else_says_why_it_is_left_out(page: Client) -> None:
    assert read(page, "other")["reason"] == "its annotations name no model of the suite"
    (left_out,) = asked(page)["left_out"]
    assert left_out["reason"] == "its annotations name no model of the suite"


def test_a_report_of_some_runs(page: Client) -> None:
    (run,) = (run["id"] for run in asked(page)["runs"] if "math" in run["id"])
    assert list(states(asked(page, run))) == [RUNS["math"]]
    missing = page.get(f"{DATA}/paper", query_string={"run": "nowhere"})
    assert missing.status_code == 404


def test_a_run_that_cannot_be_read_is_named(page: Client, logdir: Path) -> None:
    broken = write(logdir / "broken" / "x.pt.trace.json", '{"suite": true} nothing of a trace')
    run = {"run": broken.relative_to(logdir).as_posix()}
    assert states(asked(page))["broken"] == "unread"
    answer = settled(lambda: page.get(f"{DATA}/of-suite", query_string=run))
    assert answer.status_code == 422
    assert states(asked(page))["broken"] == "failed"


@pytest.mark.parametrize(("text", "said"), [(None, "it is not there"), ("{", "it cannot be read")])
def test_a_missing_taxonomy_is_told(
    page: Client, logdir: Path, text: str | None, said: str
) -> None:
    file = logdir / "taxonomy.json"
    file.unlink()
    if text is not None:
        file.write_text(text)
    reasons = [one["reason"] for one in asked(page)["left_out"] if "taxonomy" in one["run"]]
    assert len(reasons) == 1
    assert said in reasons[0]
