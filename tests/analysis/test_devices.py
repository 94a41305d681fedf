"""Devices are called what the trace calls them, and nothing where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from genscope.analysis.operators import breakdown
from genscope.analysis.overview import overview
from tests.cli.run import genscope
from tests.loaded import operators_of
from tests.trace.support import document, kernel, launch, read

LISTED = {
    "diffusion-sd3.5-mi300x": "AMD Instinct MI300X",
    "llm-sglang-prefill-decode-mi300x": "AMD Instinct MI300X",
    "llm-vllm-decode-cudagraph": "",
    "training-megatron-tp8-rank1": "NVIDIA A100-SXM4-80GB",
    "training-resnet50-v100": "",
}


@pytest.mark.parametrize("name", LISTED)
def test_the_device_of_a_public_trace(shared_traces: Path, name: str) -> None:
    (device,) = operators_of(shared_traces / f"{name}.json.gz").devices
    assert device.name == LISTED[name]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([(0, "A100"), (3, "H100")], {3: "H100", 5: ""}),
        ([(0, "A100"), (1, "A100")], {3: "A100", 5: "A100"}),
        ([(0, "A100"), (3, "")], {3: "", 5: ""}),
        ([], {3: "", 5: ""}),
    ],
)
def test_a_device_that_is_not_listed_has_the_name_that_all_share(
    listed: list[tuple[int, str]], expected: dict[int, str], tmp_path: Path
) -> None:
    properties = [{"id": index, "name": name} for index, name in listed]
    events = [
        launch(1, ts=0),
        kernel(1, ts=5, device=3),
        launch(2, ts=1),
        kernel(2, ts=5, device=5),
    ]
    trace = read(tmp_path, document(events, deviceProperties=properties))
    for result in (breakdown(trace), overview(trace)):
        assert {device.index: device.name for device in result.devices} == expected


@pytest.mark.parametrize("view", ["operators", "overview"])
def test_a_device_without_a_name_is_said_to_be_unknown(tmp_path: Path, view: str) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(document([launch(1, ts=0), kernel(1, ts=5)]))
    assert "unknown device" in genscope("report", path, "--view", view).stdout.decode()
