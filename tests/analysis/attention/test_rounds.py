"""Rounds are over when the device is: times to the first token, paces and stretches."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from genscope.analysis.attention.phase_view import phases
from genscope.trace import load
from tests import loaded, paths
from tests.trace.support import Event, event, kernel, launch, read

shared = pytest.mark.skipif(not loaded.TRACES, reason="the shared traces are not here")


def generating(module: str = "Llama_0", behind: float = 500) -> Iterator[Event]:
    """A prompt of 512 tokens, and three tokens: called 100 us apart, 1,000 us apart on the device.

    The device begins `behind` us after the first call, and works 900 us on each round.
    """
    for number in range(4):
        call, work = 100.0 * number, behind + 1000.0 * number
        q, kv = (512, 512) if number == 0 else (1, 512 + number)
        dims = [[1, 8, q, 64], [1, 8, kv, 64], [1, 8, kv, 64], [], [], []]
        inputs = ["", "", "", "", "0.", "True" if number == 0 else "False"]
        name = "aten::scaled_dot_product_attention"
        args = {"Input Dims": dims, "Concrete Inputs": inputs, "External id": 90 + number}
        yield event(f"nn.Module: {module}", cat="python_function", ts=call, dur=80)
        yield event(name, ts=call + 10, dur=40, args=args)
        for part in range(2):
            correlation = 2 * number + part + 1
            yield launch(correlation, ts=call + 15 + 10 * part, dur=5)
            start = work + 500 * part
            yield kernel(correlation, name="flash_fwd_kernel", ts=start, dur=400)


def test_a_round_ends_with_its_last_device_work(tmp_path: Path) -> None:
    result = phases(read(tmp_path, list(generating())))
    assert [(row.phase, row.rounds) for row in result.phases] == [("prefill", 1), ("decode", 3)]
    assert result.time_to_first_token_ns == 1_400_000
    assert result.time_per_token_ns == 1_000_000
    (pace,) = result.paces
    assert (pace.total_ns, pace.median_ns, pace.rounds) == (2_900_000, 1_000_000, 3)
    spans = [(one.phase, one.start_ns, one.dur_ns, one.rounds) for one in result.stretches]
    assert spans == [("prefill", 500_000, 900_000, 1), ("decode", 1_500_000, 2_900_000, 3)]


def test_the_device_is_idle_between_kernels_and_between_rounds(tmp_path: Path) -> None:
    shares = {
        row.phase: row.device_busy_share
        for row in phases(read(tmp_path, list(generating()))).phases
    }
    assert shares == {"prefill": pytest.approx(800 / 900), "decode": pytest.approx(2400 / 2900)}


def test_devices_are_busy_on_average(tmp_path: Path) -> None:
    """A second device works on one kernel of another model, in no round."""
    other = [launch(50, ts=600, dur=5), kernel(50, ts=700, dur=100, device=1)]
    result = phases(read(tmp_path, [*generating(), *other]))
    (prefill,) = [row for row in result.phases if row.phase == "prefill"]
    assert prefill.device_busy_share == pytest.approx(800 / 900 / 2)


def test_without_a_device_rounds_are_as_the_cpu_ran_them(tmp_path: Path) -> None:
    events = [one for one in generating() if one["cat"] in ("cpu_op", "python_function")]
    result = phases(read(tmp_path, events))
    assert result.time_to_first_token_ns == 80_000
    assert result.time_per_token_ns == 100_000
    assert [(one.start_ns, one.dur_ns) for one in result.stretches] == [
        (0, 80_000),
        (100_000, 280_000),
    ]
    assert {row.device_busy_share for row in result.phases} == {None}


def called(name: str, module: str) -> tuple[float, list[tuple[float, float]]]:
    """When a module was called in a shared trace, and its device work, in us, from the file."""
    folder = paths.shared_traces()
    assert folder is not None
    events = json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes()))["traceEvents"]
    (frame,) = [one for one in events if one.get("name") == f"nn.Module: {module}"]
    start, end = frame["ts"], frame["ts"] + frame["dur"]
    launched = {
        one["args"]["correlation"]
        for one in events
        if one.get("cat") in ("cuda_runtime", "cuda_driver")
        and one["tid"] == frame["tid"]
        and start <= one["ts"] < end
        and "correlation" in one.get("args", {})
    }
    return start, sorted(
        (one["ts"], one["ts"] + one["dur"])
        for one in events
        if one.get("cat") in ("kernel", "gpu_memcpy", "gpu_memset")
        and one["args"]["correlation"] in launched
    )


@shared
@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("llm-sglang-prefill-decode-mi300x", "Qwen3Model_0"),
        ("llm-prefill-qwen1.5-h100", "Qwen2Model_0"),
        ("video-timesformer-h100", "TimesformerForVideoClassification_0"),
    ],
)
def test_shared_rounds_are_as_long_as_the_device_worked(name: str, module: str) -> None:
    start, work = called(name, module)
    result = phases(load((paths.shared_traces() or Path()) / f"{name}.json.gz"))
    (one,) = [stretch for stretch in result.stretches if stretch.component == module]
    last = max(end for _, end in work)
    assert one.dur_ns / 1e3 == pytest.approx(last - work[0][0], abs=0.01)
    if result.time_to_first_token_ns is not None:
        assert result.time_to_first_token_ns / 1e3 == pytest.approx(last - start, abs=0.01)
    (row,) = [row for row in result.phases if row.phase == one.phase]
    assert row.device_busy_share is not None
    busy, reached = 0.0, 0.0
    for begin, end in work:
        busy += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    assert row.device_busy_share == pytest.approx(busy / (last - work[0][0]), rel=1e-3)
    assert one.dur_ns >= 0.9 * row.busy_ns
