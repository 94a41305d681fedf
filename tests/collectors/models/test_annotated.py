"""Every attention op of every model is annotated, once, with what was written by hand about it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from genscope.collect.annotate import annotate
from tests.collectors.models.annotated import document, join
from tests.collectors.models.cases import CASES
from tests.collectors.models.observe import observe


def _annotated(built: Any) -> tuple[torch.Tensor, dict[str, Any]]:
    def run() -> torch.Tensor:
        with annotate(built.target, components=built.components):
            result: torch.Tensor = built.run()
        return result

    return observe(run)


def _check(name: str, trace: dict[str, Any]) -> None:
    table = document(trace)
    said = CASES[name].calls()
    joined, annotations = join(trace)
    assert len(joined) == len(said)
    wrong = []
    for number, (one, call) in enumerate(zip(joined, said, strict=True)):
        found = list(one.disagreements(table, call))
        if different := one.op.disagreement(call):
            found.append(f"with annotations the op itself is another: {different}")
        if found:
            wrong.append(f"{number} {call.component} {call.module}: {'; '.join(found)}")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(said)} calls", *wrong[:20]])
    assert annotations == len(said)


@pytest.mark.parametrize("name", CASES)
def test_annotations_are_what_was_written_by_hand_and_change_no_result(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    built = CASES[name].build()
    first, trace = _annotated(built)
    _check(name, trace)
    # What was learnt in the first window is used in the second.
    second, trace = _annotated(built)
    _check(name, trace)
    with torch.inference_mode():
        plain = built.run()
    assert torch.equal(first, plain)
    assert torch.equal(second, plain)
    assert not [record for record in caplog.records if record.name.startswith("genscope")]
