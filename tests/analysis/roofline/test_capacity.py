"""The paper's intensity: FLOPs over the bytes of a component's parameters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genscope.analysis.roofline.view import roofline
from genscope.schema import METADATA_KEY, Component, Document, dumps
from tests.analysis.flops.support import op
from tests.trace.support import document, event, read

DOCUMENT = Document(
    components=(
        Component(0, "unet", "UNet", parameters=1000, parameter_bytes=2000),
        Component(1, "vae", "VAE"),
    )
)
PRODUCT = 2 * 64 * 32 * 16


def test_steps_reuse_parameters(tmp_path: Path) -> None:
    """Three denoising steps: three times the FLOPs on the same parameters."""
    calls = [
        made
        for step in range(3)
        for made in (
            event(
                f"genscope.component#0 unet step={step}",
                cat="user_annotation",
                ts=100 * step,
                dur=50,
            ),
            op("aten::mm", [[64, 32], [32, 16]], ts=100 * step + 10, dur=20),
        )
    ]
    text = document(calls, **{METADATA_KEY: json.loads(dumps(DOCUMENT))})
    (row,) = roofline(read(tmp_path, text)).capacity
    assert (row.component, row.parameters, row.calls) == ("unet", 1000, 3)
    assert row.flops == 3 * PRODUCT
    assert row.intensity == 3 * PRODUCT / 2000
    assert row.intensity_per_call == PRODUCT / 2000
    assert row.moved_intensity == pytest.approx(PRODUCT / (2 * (64 * 32 + 32 * 16 + 64 * 16)))


def test_without_annotations_it_is_not_known(tmp_path: Path) -> None:
    assert roofline(read(tmp_path, [op("aten::mm", [[64, 32], [32, 16]])])).capacity == []
