from __future__ import annotations

import gzip
import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from genscope import schema
from genscope.collect import guard
from genscope.collect.collector import Collector
from genscope.collect.guard import ASSUMED_RATE, EVENTS_PER_MODULE, Guard
from genscope.collect.outermost import OutermostCalls

PATIENCE = 60.0


def read(path: str) -> dict[str, Any]:
    trace: dict[str, Any] = json.loads(gzip.decompress(Path(path).read_bytes()))
    return trace


def notes(path: str) -> str:
    return " ".join(schema.loads(read(path)[schema.METADATA_KEY]).notes)


def until(done: Callable[[], bool], work: Callable[[], object] = lambda: None) -> bool:
    """Work until it is done; False if it never is."""
    end = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < end:
        work()
    return done()


def limits(seconds: float | None = None, events: int | None = None) -> Guard:
    return Guard(seconds, events, lambda _: True)


def test_time_is_limited() -> None:
    assert limits(seconds=2).reached(1.9) is None
    assert "max_seconds" in (limits(seconds=2).reached(2.0) or "")


def test_events_are_estimated_from_the_best_that_is_known() -> None:
    watch = limits(events=1000)
    assert watch.reached(999 / ASSUMED_RATE) is None
    assert "max_events" in (watch.reached(1001 / ASSUMED_RATE) or "")
    watch.called(modules=10, on_device=False, learns=False)
    assert 10 * EVENTS_PER_MODULE < 1000
    assert watch.reached(1001 / ASSUMED_RATE) is None
    watch.called(modules=100, on_device=False, learns=False)
    assert watch.reached(0.0) is not None
    watch.learn(events=500, seconds=1)
    assert watch.reached(1.9) is None
    assert "about 1,000 events" in (watch.reached(2.0) or "")


def test_there_may_be_no_limit() -> None:
    assert limits().reached(1e9) is None


def test_a_long_block_is_ended_early_and_says_so(tmp_path: Path) -> None:
    with Collector(None, tmp_path, max_seconds=0.1) as collector:
        torch.ones(2).add(1)
        assert until(lambda: bool(collector.written), lambda: torch.ones(2))
        torch.ones(2).mul(1)
    (path,) = collector.written
    names = {event["name"] for event in read(path)["traceEvents"]}
    assert "aten::add" in names
    assert "aten::mul" not in names
    assert "max_seconds" in notes(path)
    assert "ended early" in notes(path)


def test_a_block_of_many_events_is_ended_early(tmp_path: Path) -> None:
    run = nn.Sequential(*[nn.Linear(4, 4) for _ in range(10)]).eval()
    with Collector(run, tmp_path, max_events=2000) as collector:
        for _ in range(100):
            run(torch.ones(2, 4))
    (path,) = collector.written
    # An estimate: within a factor of three of what was asked for.
    assert 700 < len(read(path)["traceEvents"]) < 6000
    assert "max_events" in notes(path)


def test_the_estimate_of_calls_fits_real_models(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=64,
    )
    run = transformers.LlamaForCausalLM(config).eval()
    with torch.no_grad(), Collector(run, tmp_path) as collector:
        for _ in range(5):
            run(torch.ones(1, 8, dtype=torch.long))
    estimate = 5 * sum(1 for _ in run.modules()) * EVENTS_PER_MODULE
    assert estimate / 3 < len(read(collector.written[0])["traceEvents"]) < estimate * 3


def test_a_warm_up_step_tells_how_many_events_a_window_has(tmp_path: Path) -> None:
    def work() -> None:
        for _ in range(50):
            torch.ones(2).add(1)

    with Collector(None, tmp_path, active=10_000, max_events=2000) as collector:
        work()
        collector.step()
        assert until(lambda: bool(collector.written), lambda: (work(), collector.step()))
    (path,) = collector.written
    assert "max_events" in notes(path)


def test_a_backward_pass_is_not_cut_in_two(tmp_path: Path) -> None:
    # A profiler that is stopped within would stay enabled, and torch allow no other ever after.
    collector = Collector(None, tmp_path, max_seconds=0.05)
    during: list[bool] = []

    class Slow(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
            return value * 1

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                pass
            during.append(bool(collector.written))
            return grad

    with collector:
        Slow.apply(torch.ones(2, requires_grad=True)).sum().backward()
        assert until(lambda: bool(collector.written))
    assert during == [False]
    with torch.profiler.profile() as own:
        torch.ones(2)
    assert own.events()


def test_a_recording_of_another_thread_ends_at_the_next_call(tmp_path: Path) -> None:
    run = nn.Linear(4, 4)
    results: list[bool] = []

    def work() -> None:
        with Collector(run, tmp_path, max_seconds=0.1) as collector:
            results.append(until(lambda: bool(collector.written), lambda: run(torch.ones(4))))

    other = threading.Thread(target=work)
    other.start()
    other.join()
    assert results == [True]


def test_ctrl_c_while_a_limit_is_handled_is_not_lost() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        guard.on_main_thread(interrupted)
        until(lambda: False)


def test_what_fails_on_the_main_thread_stays_there(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[int] = []

    def failing() -> None:
        ran.append(1)
        raise RuntimeError("ours")

    guard.on_main_thread(failing)
    assert until(lambda: bool(ran))
    assert until(lambda: "ours" in caplog.text)


# The outermost calls --------------------------------------------------------------------------


def test_outermost_calls_are_seen_once_each() -> None:
    plain = nn.Module.__call__
    inner = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    outer = nn.Sequential(inner, nn.ReLU())
    seen: list[nn.Module] = []
    during: list[object] = []
    watch = OutermostCalls(seen.append, lambda _: during.append(nn.Module.__call__))
    watch.install()
    try:
        outer(torch.ones(2))
        inner(torch.ones(2))
    finally:
        watch.remove()
    outer(torch.ones(2))
    assert seen == [outer, inner]
    assert during == [plain, plain]
    assert nn.Module.__call__ is plain


def test_outermost_calls_that_fail_are_seen_to_end() -> None:
    class Failing(nn.Module):
        def forward(self) -> None:
            raise ValueError("of the model")

    ended: list[nn.Module] = []
    watch = OutermostCalls(after=ended.append)
    watch.install()
    try:
        for _ in range(2):
            with pytest.raises(ValueError, match="of the model"):
                Failing()()
    finally:
        watch.remove()
    assert len(ended) == 2


def test_two_watches_leave_in_any_order() -> None:
    plain = nn.Module.__call__
    run = nn.Linear(2, 2)
    for first in (0, 1):
        counts = [0, 0]

        def count(place: int, counts: list[int] = counts) -> Callable[[nn.Module], None]:
            def add(_: nn.Module) -> None:
                counts[place] += 1

            return add

        watches = [OutermostCalls(count(0)), OutermostCalls(count(1))]
        for watch in watches:
            watch.install()
        run(torch.ones(2))
        watches[first].remove()
        run(torch.ones(2))
        watches[1 - first].remove()
        watches[first].remove()
        run(torch.ones(2))
        assert counts[first] == 1
        assert counts[1 - first] == 2
        assert nn.Module.__call__ is plain
