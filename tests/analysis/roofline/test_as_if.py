"""The roofline as if on a device that somebody names."""

from __future__ import annotations

from pathlib import Path

import pytest

from genscope.analysis.roofline.as_if import OnDevice, roofline_on
from genscope.analysis.selection import Selection
from tests.analysis.roofline.test_view import COPY, PRODUCT, ran
from tests.trace.support import document, read

H100 = "NVIDIA H100 SXM5"


def test_a_named_device(tmp_path: Path) -> None:
    events = [*ran(1, PRODUCT, 125), *ran(2, COPY, 400)]
    trace = read(tmp_path, document(events))  # type: ignore[arg-type]
    own = roofline_on(trace, OnDevice())
    assert (own.device, own.as_if) == (None, False)
    assert H100 in own.devices
    found = roofline_on(trace, OnDevice(device=H100))
    assert found.device is not None
    assert (found.device.name, found.as_if) == (H100, True)
    assert "would allow" in found.sentence
    assert found.whole.flops == own.whole.flops
    assert found.selection == Selection()
    with pytest.raises(KeyError):
        roofline_on(trace, OnDevice(device="a toaster"))


def test_the_trace_s_own_device_named(tmp_path: Path) -> None:
    properties = [{"id": 0, "name": "NVIDIA H100 80GB HBM3"}]
    trace = read(tmp_path, document(ran(1, PRODUCT, 125), deviceProperties=properties))  # type: ignore[arg-type]
    found = roofline_on(trace, OnDevice(device=H100))
    assert found.device is not None
    assert not found.as_if
