"""What was run, as the overview of an annotated trace says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from genscope.cli.formatting import amount, size
from genscope.cli.main import main
from genscope.schema import METADATA_KEY, Component, Document, Workload, dumps
from tests.trace.support import document, event

WORKLOAD = Workload(
    model="stable-diffusion-v1-5",
    device="cuda",
    dtype="float16",
    image_size=(512, 768),
    batch=2,
    steps=1,
    attention="flash",
    training=False,
    extra={"lora": "red \x1b[31m"},
)


def shown(folder: Path, capsys: pytest.CaptureFixture[str], found: Document) -> str:
    path = folder / "trace.json"
    path.write_bytes(document([event(ts=0, dur=9)], **{METADATA_KEY: dumps(found)}))
    assert main(["report", str(path), "--view", "overview", "--format", "markdown"]) == 0
    return capsys.readouterr().out


def test_the_overview_says_what_was_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(
        tmp_path,
        capsys,
        Document(
            workload=WORKLOAD,
            components=(Component(0, "unet", "UNet2D", 860_000_000, 1_720_000_000, "float16"),),
            peak_memory_bytes=5 << 30,
            libraries={"torch": "2.13.0", "diffusers": "0.35"},
            notes=("The recording was cut short.",),
        ),
    )
    for part in (
        "stable-diffusion-v1-5, 512×768 pixels, 1 step, batch 2, float16, cuda",
        "attention flash, inference, lora red",
        "860 M", "1.60 GiB", "5.00 GiB", "torch 2.13.0, diffusers 0.35", "cut short",
    ):  # fmt: skip
        assert part in out
    assert "\x1b" not in out


def test_what_is_not_known_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(tmp_path, capsys, Document())
    assert not any(word in out for word in ("workload", "Components", "None", "peak memory"))


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1536, "1.50 KiB"),
        (3 << 40, "3.00 TiB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (123_456, "123 k"), (999_999_999, "1.00 B"), (7 * 10**12, "7.00 T")],
)
def test_amounts(count: int, text: str) -> None:
    assert amount(count) == text
