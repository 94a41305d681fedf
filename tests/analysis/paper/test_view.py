from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from genscope.analysis.paper import measures, runs, structure, view
from genscope.analysis.paper.claims import Claim, Paper, Stated, paper
from genscope.analysis.paper.found import Measured
from genscope.analysis.paper.results import CONTRADICTS, NOT_HERE, SAME, WITHIN, PaperReport
from tests.analysis.paper.made import STABLE_DIFFUSION, run, self_and_text

SD = run("stable-diffusion", self_and_text(STABLE_DIFFUSION * 2), image_size=512)


def judged(found: Measured, stated: Stated, *, full: bool, structural: bool = False) -> str:
    claim = Claim(id="x", ref="", text="", values=[stated], structural=structural)
    outcome = view._judged(claim, found, 0, full=full)
    assert outcome is not None
    return outcome.verdict


@pytest.mark.parametrize(
    ("measured", "same", "full", "structural", "verdict"),
    [
        (1.05, True, True, False, WITHIN),
        (1.05, True, False, False, SAME),  # a smaller model shows no more, however close it is
        (1.05, None, False, True, WITHIN),
        (2.0, True, True, False, SAME),
        (2.0, False, True, False, CONTRADICTS),
        (2.0, None, True, False, CONTRADICTS),
        (2.0, None, False, True, CONTRADICTS),
        (2.0, None, False, False, NOT_HERE),
    ],
)
def test_verdict(
    measured: float, same: bool | None, full: bool, structural: bool, verdict: str
) -> None:
    found = Measured("a", measured, same=same)
    assert judged(found, Stated(of="a", value=1.0), full=full, structural=structural) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(5, 9, WITHIN), (3, 9, CONTRADICTS), (5, 12, CONTRADICTS)]
)
def test_a_range_agrees_where_all_of_it_lies_within(low: float, high: float, verdict: str) -> None:
    found = Measured("a", low=low, high=high)
    assert judged(found, Stated(of="a", low=4, high=11), full=True) == verdict


def test_nothing_recorded_is_nothing_measured() -> None:
    found = view.report([])
    assert found.verdicts == {NOT_HERE: len(paper().claims)}
    outcomes = [outcome for row in found.rows for outcome in row.outcomes]
    assert all(one.measured is None and one.low is None and one.why for one in outcomes)
    assert [warning.code for warning in found.warnings] == ["no_runs"]


def test_runs_of_several_settings_stand_apart_with_the_full_scale_first() -> None:
    other = replace(SD, label="b", scale="paper", hardware="H200", dtype="bfloat16")
    found = view.report([SD, other])
    assert [(one.scale, one.hardware) for one in found.settings] == [
        ("paper", "H200"),
        ("tiny", "CPU"),
    ]
    (row,) = (row for row in found.rows if row.claim.id == "longest")
    assert [(one.setting, one.measured, one.verdict) for one in row.outcomes] == [
        (0, 4096.0, WITHIN),
        (1, 4096.0, WITHIN),
    ]


def test_what_is_missing_is_named() -> None:
    (row,) = (row for row in view.report([SD]).rows if row.claim.id == "lengths")
    assert [(one.of, one.verdict) for one in row.outcomes] == [
        ("stable-diffusion", WITHIN),
        ("imagen, parti, muse", NOT_HERE),
    ]


def test_no_value_of_the_paper_can_become_a_measured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With other values in the paper, everything measured stays what it was."""

    def measured(found: PaperReport) -> list[object]:
        return [
            (row.claim.id, one.of, one.measured, one.low, one.high, one.measured_words)
            for row in found.rows
            for one in row.outcomes
        ]

    before = view.report([SD])
    text = msgspec.to_builtins(paper())
    for claim in text["claims"]:
        for stated in claim["values"]:
            for key in ("value", "low", "high"):
                if stated.get(key) is not None:
                    stated[key] = stated[key] * 7 + 1
    changed = msgspec.convert(text, Paper)
    for module in (view, measures, runs, structure):
        monkeypatch.setattr(module, "paper", lambda: changed)
    after = view.report([SD])
    assert measured(after) == measured(before)
    assert after.verdicts != before.verdicts


def test_the_report_is_json_and_back() -> None:
    found = view.report([SD])
    assert msgspec.json.decode(msgspec.json.encode(found), type=PaperReport) == found
