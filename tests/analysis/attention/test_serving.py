"""Steps of serving engines, where each is annotated once, twice, or with both phases in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from genscope.analysis.attention.phase_view import phases
from genscope.analysis.attention.serving import read_step, serving_steps
from tests import loaded
from tests.analysis.attention.test_shared import calls_of
from tests.trace.support import Event, event, read

OUTER = "execute_37_context_5(sq900sk900sqsq1sqsk1)_generation_32(sq32sk9sqsq1sqsk1)"


def annotation(name: str, ts: float, dur: float) -> Event:
    return event(name, cat="user_annotation", ts=ts, dur=dur)


@pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")
def test_a_step_that_sglang_annotates_twice_is_one() -> None:
    (step,) = phases(calls_of("llm-sglang-prefill-decode-mi300x")[0]).served
    assert step.name.startswith("execute_15360_context_15(")
    assert (step.phase, step.prefills, step.decodes) == ("prefill", 15, 0)
    assert (step.prefill_tokens, step.decode_tokens) == (15360, 0)


def test_the_annotation_that_tells_more_gives_the_figures(tmp_path: Path) -> None:
    told = "step[EXTEND bs=3 toks=90]"
    events = [
        annotation(OUTER, 0, 100),
        annotation("step[MIXED bs=37 toks=932]", 10, 80),
        annotation("execute_3_context_3_generation_0", 200, 100),
        annotation(told, 210, 80),
        annotation("step[DECODE bs=32]", 300, 50),
        annotation("step[DECODE bs=32]", 400, 50),
    ]
    trace = read(tmp_path, [*events, event("aten::mm", ts=20)])
    steps = serving_steps(trace)
    assert [step.phase for step in steps] == ["mixed", "prefill", "decode", "decode"]
    assert (steps[0].prefills, steps[0].decodes, steps[0].prefill_tokens) == (5, 32, 900)
    listed = phases(trace).served
    assert [(step.name, step.start_ns, step.dur_ns) for step in listed[:2]] == [
        (OUTER, 0, 100_000),
        (told, 200_000, 100_000),
    ]


def test_parts_of_a_step_are_not_the_step(tmp_path: Path) -> None:
    events = [
        annotation("execute_2_context_0_generation_2", 0, 100),
        annotation("step[TARGET_VERIFY bs=2 toks=10]", 10, 30),
        annotation("step[DRAFT_EXTEND bs=2 toks=4]", 50, 30),
    ]
    (step,) = serving_steps(read(tmp_path, events))
    assert (step.decodes, step.decode_tokens) == (2, None)


def test_a_step_of_both_phases_tells_how_many_of_neither(tmp_path: Path) -> None:
    step = read_step("step[MIXED bs=20 toks=5000]")
    assert step is not None
    assert step.phase == "mixed"
    assert "20 sequences of both phases" in step.reason
    trace = read(tmp_path, [annotation("step[MIXED bs=20 toks=5000]", 0, 10), event("aten::mm")])
    (listed,) = phases(trace).served
    assert (listed.prefills, listed.decodes, listed.prefill_tokens) == (None, None, None)
