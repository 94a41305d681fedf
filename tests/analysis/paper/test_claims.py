from __future__ import annotations

from genscope.analysis.paper.claims import paper
from genscope.analysis.paper.measures import MEASURES, NEEDS


def test_every_claim_is_measured_or_says_why_it_cannot_be() -> None:
    ids = [claim.id for claim in paper().claims]
    assert len(set(ids)) == len(ids)
    reachable = {claim.id for claim in paper().claims if claim.out_of_reach is None}
    assert reachable == set(MEASURES)
    assert set(NEEDS) <= reachable


def test_every_figure_and_table_of_results_is_there() -> None:
    refs = " ".join(claim.ref for claim in paper().claims)
    figures = (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
    named = {f"Figure {number}" for number in figures} | {"Table I", "Table II", "Table III"}
    assert {name for name in named if name not in refs} == set()
    assert "Section IV-B" in refs
    assert "Section V-A" in refs


def test_table_ii_is_as_printed() -> None:
    (table,) = (claim for claim in paper().claims if claim.id == "speedup")
    assert {one.of: one.value for one in table.values} == {
        "llama2": 1.52,
        "imagen": 1.22,
        "stable-diffusion": 1.67,
        "muse": 1.11,
        "parti": 1.17,
        "sdxl": 1.04,
        "make-a-video": 1.06,
        "phenaki": 1.15,
    }


def test_eight_workloads_and_one_stand_in() -> None:
    models = paper().models
    assert len(models) == 8
    assert [model.name for model in models if model.note] == ["sdxl"]
    # What values are of: a model that exists, or a quantity in words.
    names = {model.name for model in models}
    for claim in paper().claims:
        for stated in claim.values:
            assert "-" not in stated.of or stated.of in names, (claim.id, stated.of)


def test_published_figures_have_sources() -> None:
    assert all(one.source.startswith("arXiv:") for one in paper().published)
    assert {one.kind for one in paper().published} == {"diffusion", "transformer"}
