"""The roofline view: what bounds an op, and what could be saved."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from genscope.analysis.roofline.devices import DeviceRates
from genscope.analysis.roofline.results import Roofline, RoofOp
from genscope.analysis.roofline.view import roofline
from tests import loaded, paths
from tests.analysis.flops.support import op
from tests.cli.run import genscope
from tests.trace.support import document, event, kernel, launch, read

shared = pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")

RATES = DeviceRates(
    name="Made",
    source="invented",
    bandwidth=1e12,
    matrix={"float32": 10e12, "tf32": 50e12, "bfloat16": 100e12},
    vector={"float32": 10e12},
)


def ran(number: int, made: dict[str, object], dur: float, name: str = "k") -> list[object]:
    """An op, its launch, and its kernel of `dur` microseconds."""
    ts = 1000 * number
    return [
        {**made, "ts": ts, "dur": 10},
        launch(number, ts=ts + 1, dur=2),
        kernel(number, ts=ts + 5, dur=dur, name=name),
    ]


PRODUCT = op("aten::mm", [[1000, 1000], [1000, 5000]])
"""10 GFLOP: 100 µs; 10 MB + 10 + 2: 22 µs."""
COPY = op("aten::copy_", [[10_000_000], [10_000_000], []])
"""40 MB: 40 µs."""


def view(folder: Path, *groups: list[object]) -> Roofline:
    events = [one for group in groups for one in group]
    return roofline(read(folder, document(events)), device=RATES)  # type: ignore[arg-type]


def only(result: Roofline) -> RoofOp:
    (found,) = result.ops
    return found


@pytest.mark.parametrize(
    ("made", "dur", "bound", "roof_us"),
    [
        (PRODUCT, 125, "compute", 100),
        (PRODUCT, 500, "neither", 100),
        (COPY, 50, "bandwidth", 40),
        (COPY, 100, "neither", 40),
        (op("aten::relu", [[1000]]), 4, "launch", 0.004),
    ],
)
def test_bounds(
    tmp_path: Path, made: dict[str, object], dur: float, bound: str, roof_us: float
) -> None:
    found = only(view(tmp_path, ran(1, made, dur)))
    assert found.bound == bound
    assert found.roof_ns == round(roof_us * 1000)
    assert found.efficiency == pytest.approx(roof_us / dur, rel=0.01)
    assert found.saving_ns == pytest.approx(1000 * (dur - roof_us), abs=1)


def test_what_to_optimise_next(tmp_path: Path) -> None:
    """By the time above the roof, not by time: the copy takes half as long, but wastes more."""
    result = view(tmp_path, ran(1, PRODUCT, 110), ran(2, COPY, 55), ran(3, COPY, 55))
    assert [(row.name, row.calls) for row in result.ops] == [("aten::copy_", 2), ("aten::mm", 1)]
    assert [row.saving_ns for row in result.ops] == [30_000, 10_000]
    assert result.whole.saving_ns == 40_000
    assert result.whole.bound_ns == {"compute": 110_000, "bandwidth": 110_000}
    assert result.ridge == 100
    assert "aten::copy_" in result.sentence


def test_kernels_that_round_to_tf32(tmp_path: Path) -> None:
    product = op("aten::mm", [[1000, 1000], [1000, 5000]], "float")
    plain = only(view(tmp_path, ran(1, product, 2000, "ampere_sgemm_128x64")))
    rounded = only(view(tmp_path, ran(1, product, 2000, "ampere_tf32_s1688gemm_tf32_128")))
    assert (plain.roof_ns, rounded.roof_ns) == (1_000_000, 200_000)


def test_transfers_have_no_roof(tmp_path: Path) -> None:
    """A copy from the host goes at another rate than the device's memory."""
    found = only(view(tmp_path, ran(1, COPY, 4000, "Memcpy HtoD (Pageable -> Device)")))
    assert (found.bound, found.roof_ns, found.saving_ns) == ("transfer", None, None)


def test_a_device_that_is_not_known(tmp_path: Path) -> None:
    """Intensity and rates are told all the same."""
    result = roofline(read(tmp_path, document(ran(1, PRODUCT, 125))))  # type: ignore[arg-type]
    assert result.device is None
    assert result.whole.flops_per_s == pytest.approx(10e9 / 125e-6)
    assert result.whole.bound is None
    assert result.whole.saving_ns is None
    assert "no_rates" in {warning.code for warning in result.warnings}


def test_faster_than_its_roof(tmp_path: Path) -> None:
    result = view(tmp_path, ran(1, COPY, 10))
    assert only(result).saving_ns == 0
    assert "above_roof" in {warning.code for warning in result.warnings}


def test_nothing_to_draw(tmp_path: Path) -> None:
    result = roofline(read(tmp_path, [event("aten::mm")]), device=RATES)
    assert result.ops == []
    assert result.whole.intensity is None


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_on_the_command_line(tmp_path: Path, form: str) -> None:
    path, table = tmp_path / "trace.json", tmp_path / "mine.toml"
    path.write_bytes(document([*ran(1, PRODUCT, 125), *ran(2, COPY, 400)]))  # type: ignore[list-item]
    table.write_text(
        '[[device]]\nname = "Mine"\nbandwidth = 1e12\nmatrix = { bfloat16 = 100e12 }\n'
        'vector = { float32 = 10e12 }\nsource = "invented"\n'
    )
    more = ("--device", "mine", "--devices", table, "--format", form)
    done = genscope("report", path, "--view", "roofline", *more, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    if form == "json":
        found = msgspec.json.decode(done.stdout, type=Roofline)
        assert found.device is not None
        assert found.device.name == "Mine"
        assert [row.name for row in found.ops] == ["aten::copy_", "aten::mm"]
    else:
        assert "What to optimise next" in done.stdout.decode()


def test_mistakes_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(document(ran(1, PRODUCT, 125)))  # type: ignore[arg-type]
    for more in (
        ("--device", "nothing"),
        ("--devices", tmp_path / "missing.toml"),
        ("--device", "h100", "--format", "html"),
    ):
        done = genscope("report", path, "--view", "roofline", *more)
        assert done.returncode == 2
        assert len(done.stderr.decode().splitlines()) == 1


GPUS = [name for name in loaded.TRACES if name != "cpu-only-rank34"]


@shared
@pytest.mark.parametrize("name", GPUS)
def test_shared_traces_stay_below_their_peaks(name: str) -> None:
    """Where the device is known, no category, nor products of any shape worth a look, beat it."""
    folder = paths.shared_traces()
    assert folder is not None
    result = roofline(loaded.trace_of(folder / f"{name}.json.gz"))
    assert sum(row.time_ns for row in result.categories) == result.whole.time_ns
    if result.device is None:
        return
    for row in result.categories:
        assert (row.flops_per_s or 0) < result.device.peak
        assert (row.bytes_per_s or 0) < result.device.bandwidth
    for one in result.ops:
        if one.category in ("Linear", "Convolution") and one.time_ns > 1_000_000:
            assert one.efficiency is not None
            assert one.efficiency < 1
