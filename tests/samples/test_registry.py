from __future__ import annotations

import json
import subprocess
import sys

import pytest

from genscope.suite import table
from genscope.suite.registry import NAMES, ROWS, Published, rows
from genscope.suite.registry import row as row_of


def published(stated: str) -> Published:
    return Published(("unet",), stated, "a paper")


@pytest.mark.parametrize(
    ("stated", "agreeing", "other"),
    [
        ("860M", 859_500_000, 800_000_000),
        ("3B", 3_140_000_000, 3_270_000_000),
        ("600M", 575_000_000, 540_000_000),
        ("1.42B", 1_419_000_000, 1_300_000_000),
        ("20B", 20_450_000_000, 26_000_000_000),
    ],
)
def test_a_number_agrees_within_5_percent(stated: str, agreeing: int, other: int) -> None:
    assert published(stated).agrees(agreeing)
    assert not published(stated).agrees(other)


def test_the_eight_workloads_of_the_paper_come_first() -> None:
    assert [row.name for row in ROWS if row.in_paper] == [
        "llama2",
        "imagen",
        "stable-diffusion",
        "muse",
        "parti",
        "sdxl",
        "make-a-video",
        "phenaki",
    ]
    assert [row.in_paper for row in ROWS] == sorted((row.in_paper for row in ROWS), reverse=True)


def test_the_production_model_is_called_a_stand_in() -> None:
    assert [row.name for row in ROWS if row.stand_in] == ["sdxl"]


def test_every_proxy_is_named_and_labelled_in_the_list() -> None:
    assert [row.name for row in ROWS if row.proxies] == ["make-a-video"]
    parts = row_of("make-a-video").proxies
    assert parts["Karlo's decoder"] == ("unet", "interpolation")
    assert parts["the last upsampler of DALL-E 2"] == ("super_resolution_2",)
    told = [one.components[0] for one in row_of("make-a-video").published]
    assert sorted(part for those in parts.values() for part in those) == sorted(told)
    said = " ".join(table.text().split())
    for name in parts:
        assert f"proxy: {name}" in said
        assert f"{name} for " in said


def test_every_number_has_its_source_and_what_is_missing_is_said() -> None:
    for row in ROWS:
        assert row.published or row.unpublished
        assert all(one.source for one in row.published)


def test_rows_come_in_the_order_of_the_table_and_unknown_ones_are_named() -> None:
    assert [row.name for row in rows(["wan", "llama2"])] == ["llama2", "wan"]
    with pytest.raises(ValueError, match=r"no model is called 'wann'; there are llama2"):
        rows(["wann"])


def test_the_list_tells_every_model() -> None:
    text = table.text()
    assert all(row.title in text for row in ROWS)
    assert "stands in for" in text
    assert max(map(len, text.splitlines())) <= 100
    found = json.loads(json.dumps(table.document()))["models"]
    assert tuple(model["name"] for model in found) == NAMES
    assert found[2]["published"][1]["parameters"] == 860e6


def test_listing_imports_no_torch() -> None:
    code = "import sys, genscope.suite.table, genscope.suite.options; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
