"""The table of devices, and a table of the user's own."""

from __future__ import annotations

import pytest

from genscope.analysis.roofline.devices import known_devices, named, of_trace, read_devices
from genscope.trace.errors import TraceError
from genscope.trace.model import Device

MINE = b"""
[[device]]
name = "Mine"
match = "mine|NVIDIA H100"
bandwidth = 1e12
matrix = { float32 = 10e12, bfloat16 = 100e12 }
vector = { float32 = 10e12 }
source = "measured"
"""


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("NVIDIA A100-SXM4-80GB", "NVIDIA A100 SXM4 80GB"),
        ("NVIDIA A100-PCIE-40GB", "NVIDIA A100 40GB"),
        ("NVIDIA A100 80GB PCIe", "NVIDIA A100 PCIe 80GB"),
        ("NVIDIA PG509-210", "NVIDIA A100 SXM4 80GB"),
        ("NVIDIA H100 80GB HBM3", "NVIDIA H100 SXM5"),
        ("NVIDIA H100 PCIe", "NVIDIA H100 PCIe"),
        ("NVIDIA H200", "NVIDIA H200 SXM"),
        ("NVIDIA B200", "NVIDIA B200"),
        ("NVIDIA GB200", "NVIDIA GB200 (one of its GPUs)"),
        ("NVIDIA GH200 480GB", None),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
        ("NVIDIA L40S", "NVIDIA L40S"),
        ("NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 4090"),
        ("NVIDIA GeForce RTX 5090", "NVIDIA GeForce RTX 5090"),
        ("AMD Instinct MI250X", "AMD Instinct MI250X (one of its two dies)"),
        ("AMD Instinct MI300X", "AMD Instinct MI300X"),
        ("AMD Instinct MI355X", "AMD Instinct MI355X"),
        ("Tesla V100-SXM2-16GB", "NVIDIA V100 SXM2"),
        ("Some other GPU", None),
    ],
)
def test_names_as_traces_have_them(name: str, found: str | None) -> None:
    rates = of_trace([Device(0, name)])
    assert (rates.name if rates else None) == found


def test_a_device_without_a_name() -> None:
    """ROCm leaves names empty at times; the properties tell which it is."""
    properties = {"numSms": 304, "computeMajor": 9, "computeMinor": 4}
    rates = of_trace([Device(0, "", properties)])
    assert rates is not None
    assert rates.name == "AMD Instinct MI300X"
    assert of_trace([Device(0, "", {"numSms": 304})]) is None


def test_rates_fit_together() -> None:
    """Narrower matrix work is not slower, and every device says where its figures come from."""
    for one in known_devices():
        assert one.source
        assert one.checked
        order = ("float32", "tf32", "bfloat16", "float8", "float4")
        rates = [one.matrix[dtype] for dtype in order if dtype in one.matrix]
        assert rates == sorted(rates)
        assert one.vector["float32"] <= one.matrix["float32"]
        assert 1e11 < one.bandwidth < 1e13


def test_dtypes_are_computed_in_what_a_device_has() -> None:
    v100 = named("v100")
    assert v100 is not None
    assert v100.matrix_rate("bfloat16") == v100.matrix["float32"]
    assert v100.matrix_rate("int8") is None
    h100 = named("h100 sxm")
    assert h100 is not None
    assert h100.matrix_rate("float32") == 67e12
    assert h100.matrix_rate("float32", tf32=True) == 494.7e12
    assert h100.vector_rate("bfloat16") == 67e12


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("h100", "NVIDIA H100 SXM5"),
        ("H100 PCIe", "NVIDIA H100 PCIe"),
        ("a100", "NVIDIA A100 SXM4 80GB"),
        ("b200", "NVIDIA B200"),
        ("h200", "NVIDIA H200 SXM"),
        ("mi300", "AMD Instinct MI300X"),
    ],
)
def test_names_as_people_type_them(name: str, found: str) -> None:
    device = named(name)
    assert device is not None and device.name == found


def test_a_table_of_ones_own_goes_first() -> None:
    mine = read_devices(MINE, "mine.toml")
    for name in ("NVIDIA H100 PCIe", "a mine"):
        rates = of_trace([Device(0, name)], mine)
        assert rates is not None
        assert rates.name == "Mine"
    assert named("MINE", mine) == mine[0]
    assert named("nothing like it", mine) is None


@pytest.mark.parametrize(
    "text",
    [
        b"not toml",
        b"\xff\xfe",
        b"device = 3",
        MINE.replace(b"1e12", b"-1.0"),
        MINE.replace(b"1e12", b"inf"),
        MINE.replace(b"1e12", b"nan"),
        MINE.replace(b"1e12", b'"fast"'),
        MINE.replace(b"mine|", b"mine("),
        MINE.replace(b"source", b"sauce"),
    ],
)
def test_a_file_that_is_no_such_table(text: bytes) -> None:
    with pytest.raises(TraceError, match=r"mine\.toml"):
        read_devices(text, "mine.toml")
