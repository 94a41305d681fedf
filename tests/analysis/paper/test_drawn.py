"""The paper's figures, from runs made by hand."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from genscope.analysis.paper import cited, measures, runs, structure, view
from genscope.analysis.paper.claims import Paper, paper
from genscope.analysis.paper.figures import Call, Figures
from genscope.analysis.paper.panels import Panel, SettingPanels
from genscope.analysis.paper.results import CONTRADICTS, NOT_HERE, WITHIN, PaperReport
from tests.analysis.paper.made import STABLE_DIFFUSION, roof, run, self_and_text, space_time

SD = run("stable-diffusion", self_and_text(STABLE_DIFFUSION * 3), image_size=512)
MUSE = run("muse", [Call("transformer", "self", "spatial", 2, 64, 64, "parallel_decode")] * 20)
PARTI = run(
    "parti",
    [
        call
        for keys in range(1, 30)
        for _ in range(2)
        for call in (
            Call("decoder", "self", "sequence", 1, 1, keys, "decode"),
            Call("decoder", "cross", "sequence", 1, 1, 77, "decode"),
        )
    ],
)
VIDEOS = [
    run(
        "make-a-video",
        label=f"{size}-{frames}",
        image_size=size,
        frames=frames,
        is_usual=(size, frames) == (64, 8),
        space_time=space_time(frames, (100, size**2 * frames), (40, 8 * frames**2)),
    )
    for size in (64, 96)
    for frames in (4, 8, 16)
]


def drawn(*of: Figures) -> SettingPanels:
    return view.report(of, folder="my runs").figures.measured[0]


def test_lengths_are_cut_to_one_period() -> None:
    (series,) = drawn(SD).lengths.series
    step = 2 * len(STABLE_DIFFUSION)
    assert (series.period, series.calls, series.shape) == (step, 3 * step, "U-shaped cycles")
    assert series.lengths == [length for length in STABLE_DIFFUSION for _ in range(2)]
    assert series.kinds == ["self", "cross"] * len(STABLE_DIFFUSION)


def test_lengths_that_stay_and_lengths_that_grow() -> None:
    constant, growing = drawn(PARTI, MUSE).lengths.series
    assert (constant.model, constant.period, set(constant.lengths)) == ("muse", 1, {64})
    # One call of each round, though two layers attend, and to a text as well.
    assert (growing.grows, growing.period) == (True, None)
    assert growing.lengths == [*range(1, 30)]
    assert growing.places == [*range(0, 4 * 29, 4)]


def test_sizes_of_images() -> None:
    small = replace(
        SD, label="small", image_size=256, calls=self_and_text([n // 4 for n in STABLE_DIFFUSION])
    )
    found = drawn(SD, small).sizes
    assert [size.image_size for size in found.sizes] == [256, 512]
    assert found.sizes[1].lengths == [64, 256, 1024, 4096]
    assert sum(found.sizes[1].shares) == pytest.approx(1)
    assert found.needs == []


def test_frames_with_their_crossover() -> None:
    found = drawn(*VIDEOS).frames
    assert [size.image_size for size in found.sizes] == [64, 96]
    crossings = [
        cross.frames
        for size in found.sizes
        for cross in size.sweep.crossovers
        if cross.of == "flops"
    ]
    assert crossings == pytest.approx([64**2 / 8, 96**2 / 8])
    assert found.needs == []


def test_axes_of_the_usual_video_alone() -> None:
    found = drawn(*VIDEOS).axes
    assert [(bar.run, bar.axis) for bar in found.bars] == [
        ("64-8", "spatial"),
        ("64-8", "temporal"),
    ]
    assert [bar.time_share for bar in found.bars] == pytest.approx([100 / 140, 40 / 140])
    assert [ratio.temporal_over_spatial_time for ratio in found.ratios] == [pytest.approx(0.4)]


@pytest.mark.parametrize("figure", SettingPanels.__struct_fields__[1:])
def test_a_figure_without_runs_says_how_to_record_them(figure: str) -> None:
    panel = getattr(drawn(), figure)
    assert isinstance(panel, Panel)
    (need,) = panel.needs
    words = shlex.split(need.command)
    assert words[:3] == ["genscope", "suite", "run"]
    assert words[-2:] == ["-o", "my runs"]
    known = {model.name for model in paper().models}
    assert set(words[words.index("--models") + 1].split(",")) <= known


def test_a_command_records_at_the_scale_of_the_runs() -> None:
    full = replace(SD, scale="paper", hardware="NVIDIA H200", dtype="float16")
    (need,) = drawn(full).growth.needs
    assert need.command == (
        "genscope suite run --models stable-diffusion --scale paper --dtype float16 "
        "--image-size 64,128,256,512 -o 'my runs'"
    )
    (others,) = drawn(full).roofline.needs
    assert "--models llama2,imagen,muse," in others.command


def bounds(*found: Figures) -> list[tuple[str, str | None, str]]:
    rows = view.report(found).rows
    (row,) = (row for row in rows if row.claim.id == "bound")
    return [
        (one.of, one.measured_words, one.verdict)
        for one in row.outcomes
        if one.measured_words is not None
    ]


def test_bounds_are_judged_where_the_rates_are_known() -> None:
    rates: dict[str, Any] = {
        "device": "A100",
        "peak_flops_per_s": 312e12,
        "bandwidth_bytes_per_s": 2e12,
    }
    full: dict[str, Any] = {"scale": "paper", "hardware": "A100", "dtype": "bfloat16"}
    diffusion = run("imagen", roof=roof(9, moved_intensity=400.0, **rates), **full)
    transformer = run("muse", roof=roof(9, moved_intensity=300.0, **rates), **full)
    assert bounds(diffusion, transformer) == [
        ("imagen", "compute", WITHIN),
        ("muse", "compute", CONTRADICTS),
    ]
    (panel,) = view.report([diffusion]).figures.measured
    assert panel.roofline.ridge == pytest.approx(156)
    # Small models say nothing of the size of large ones, and a CPU has no rates.
    assert bounds(replace(diffusion, scale="tiny")) == [("imagen", "compute", NOT_HERE)]
    assert bounds(run("imagen", roof=roof(9, moved_intensity=400.0))) == []


def test_no_value_of_the_paper_is_in_a_measured_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """With other values in the paper, all that is cited changes, and nothing that is measured."""
    shown = [SD, MUSE, PARTI, *VIDEOS]
    before = view.report(shown).figures
    text: Any = msgspec.to_builtins(paper())
    for claim in text["claims"]:
        for stated in claim["values"]:
            for key in ("value", "low", "high"):
                stated[key] = None if stated.get(key) is None else stated[key] * 7 + 1
            stated["words"] = None if stated.get("words") is None else "said otherwise"
    for one in text["published"]:
        one["fid"], one["parameters_b"] = one["fid"] + 50, 1234.0
    changed = msgspec.convert(text, Paper)
    for module in (cited, view, measures, runs, structure):
        monkeypatch.setattr(module, "paper", lambda: changed)
    after = view.report(shown).figures
    assert after.measured == before.measured
    for field in before.cited.__struct_fields__:
        assert getattr(after.cited, field) != getattr(before.cited, field), field


def test_every_figure_is_about_claims_that_exist() -> None:
    known = {claim.id: claim.ref for claim in paper().claims}
    found = view.report([]).figures
    named = [claim for about in found.about for claim in about.claims]
    assert len(named) == len(set(named))
    assert set(named) <= set(known)
    fields = {*SettingPanels.__struct_fields__, "quality", "taxonomy"}
    assert {about.id for about in found.about} <= fields


def test_the_headline_counts_claims() -> None:
    found = view.report([SD])
    assert sum(found.claims.values()) == len(found.rows)
    holds = found.claims.get("within", 0) + found.claims.get("same direction", 0)
    assert found.sentence.startswith(f"{holds} of the paper's {len(found.rows)} claims hold on CPU")
    assert msgspec.json.decode(msgspec.json.encode(found), type=PaperReport) == found
