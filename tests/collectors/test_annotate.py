"""What `annotate` writes into the trace of a profiler that it does not own."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, schedule
from torch.utils.checkpoint import checkpoint

from genscope.collect import annotate
from genscope.schema import METADATA_KEY, loads
from tests.collectors.small import Coder, TinyModel, seeded
from tests.collectors.support import components, exported, modules, nothing_left, ours, record

X = torch.ones(2, 4)


def test_components_and_modules_with_children_are_ranges_and_leaves_are_not() -> None:
    model = seeded(TinyModel)

    def run() -> None:
        with annotate(model):
            model(X)

    trace = record(run)
    assert components(trace) == ["tiny_model"]
    assert modules(trace) == ["blocks", "blocks.0", "blocks.1"]
    document = loads(trace[METADATA_KEY])
    assert [part.name for part in document.components] == ["tiny_model"]
    assert {module.path: module.class_name for module in document.modules} == {
        "": "TinyModel",
        "blocks": "Sequential",
        "blocks.0": "Block",
        "blocks.1": "Block",
    }


def test_it_may_be_entered_before_the_profiler_and_outlive_it() -> None:
    model = seeded(TinyModel)
    with nothing_left(model), annotate(model):
        model(X)
        first = record(lambda: model(X))
        model(X)
        second = record(lambda: model(X))
    for trace in (first, second):
        assert components(trace) == ["tiny_model"]
        assert len(modules(trace)) == 3
        assert loads(trace[METADATA_KEY]).components


def test_every_window_of_a_schedule_has_its_annotations_and_document() -> None:
    model = seeded(TinyModel)
    traces: list[dict[str, Any]] = []
    with (
        annotate(model),
        profile(
            activities=[ProfilerActivity.CPU],
            schedule=schedule(wait=1, warmup=1, active=2, repeat=2),
            on_trace_ready=lambda profiler: traces.append(exported(profiler)),
        ) as profiler,
    ):
        for _ in range(8):
            model(X)
            profiler.step()
    assert len(traces) == 2
    for trace in traces:
        assert components(trace) == ["tiny_model", "tiny_model"]
        assert loads(trace[METADATA_KEY]).components[0].name == "tiny_model"


def test_it_works_as_a_decorator_more_than_once() -> None:
    model = seeded(TinyModel)

    @annotate(model, components={"mine": model})
    def run() -> None:
        model(X)

    assert components(record(run)) == components(record(run)) == ["mine"]


@pytest.mark.parametrize("method", ["encode", "decode", "forward"])
def test_a_component_called_through_a_method_is_found(method: str) -> None:
    model = seeded(Coder)

    def run() -> None:
        with nothing_left(model), annotate(model, components={"vae": model}):
            getattr(model, method)(X)

    trace = record(run)
    assert components(trace) == ["vae"]
    assert modules(trace) == {"encode": ["encoder"], "decode": ["decoder"]}.get(
        method, ["encoder", "decoder"]
    )


def test_a_method_of_a_component_within_its_call_is_no_second_call() -> None:
    model = seeded(Coder)

    def run() -> None:
        with annotate(model):
            model(X)

    assert components(record(run)) == ["coder"]


def test_a_module_called_past_its_component_still_tells_its_component() -> None:
    model = seeded(TinyModel)

    def run() -> None:
        with annotate(model):
            model.blocks(X)

    trace = record(run)
    assert components(trace) == ["tiny_model"]
    assert modules(trace) == ["blocks", "blocks.0", "blocks.1"]


def test_a_shared_module_has_one_name_and_a_range_at_each_call() -> None:
    model = seeded(TinyModel)
    model.blocks[1] = model.blocks[0]

    def run() -> None:
        with annotate(model):
            model(X)

    assert modules(record(run)) == ["blocks", "blocks.0", "blocks.0"]


def test_parts_of_a_model_can_be_named_by_attribute() -> None:
    model = seeded(TinyModel)

    def run() -> None:
        with annotate(model, components={"first": "blocks.0"}):
            model(X)

    assert components(record(run)) == ["tiny_model", "first"]


def test_modules_can_be_left_out() -> None:
    model = seeded(TinyModel)

    def run() -> None:
        with annotate(model, modules=False):
            model(X)

    trace = record(run)
    assert components(trace) == ["tiny_model"]
    assert modules(trace) == []


def test_what_nobody_named_is_found() -> None:
    model, coder = seeded(TinyModel), seeded(Coder)

    def run() -> None:
        with nothing_left(model, coder), annotate():
            model(X)
            coder.decode(X)
            model(X)

    trace = record(run)
    assert components(trace) == ["tiny_model", "coder", "tiny_model"]
    assert modules(trace) == [
        *("blocks", "blocks.0", "blocks.1", "decoder"),
        *("blocks", "blocks.0", "blocks.1"),
    ]


def test_a_model_found_by_itself_is_not_kept_alive() -> None:
    import gc
    import weakref

    model = seeded(TinyModel)
    gone = weakref.ref(model)
    with annotate():
        record(partial(model, X))
        del model
        gc.collect()
        assert gone() is None
        other = seeded(TinyModel)
        assert components(record(lambda: other(X))) != []


def test_each_thread_has_its_own_place_in_the_model() -> None:
    model = seeded(TinyModel)
    results: list[torch.Tensor] = []

    def work() -> None:
        for _ in range(20):
            results.append(model(X))

    def run() -> None:
        with nothing_left(model), annotate(model):
            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            work()
            for thread in threads:
                thread.join()

    trace = record(run)
    assert components(trace) == ["tiny_model"] * 20
    assert modules(trace) == ["blocks", "blocks.0", "blocks.1"] * 20
    assert all(torch.equal(result, model(X)) for result in results)


class _Checkpointed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = seeded(TinyModel)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = checkpoint(self.body, hidden, use_reentrant=False)
        return result


def test_what_checkpointing_computes_again_has_its_modules() -> None:
    model = _Checkpointed()

    def run() -> None:
        with nothing_left(model), annotate(model):
            model(X.clone().requires_grad_()).sum().backward()

    trace = record(run)
    assert components(trace) == ["_checkpointed step=0"]
    once = ["body", "body.blocks", "body.blocks.0", "body.blocks.1"]
    assert modules(trace) == once * 2


def test_names_are_without_what_wrappers_add() -> None:
    inner = seeded(TinyModel)
    model = nn.DataParallel(inner, device_ids=[])

    def run() -> None:
        with nothing_left(model), annotate(model):
            model(X)
            inner(X)

    trace = record(run)
    assert components(trace) == ["tiny_model", "tiny_model"]
    assert modules(trace) == ["blocks", "blocks.0", "blocks.1"] * 2


def test_modules_that_are_added_while_it_runs_are_annotated_in_the_next_window() -> None:
    model = seeded(TinyModel)
    with nothing_left(model.out), annotate(model):
        record(lambda: model(X))
        model.blocks.append(nn.Sequential(nn.Linear(4, 4)))
        model(X)
        trace = record(lambda: model(X))
    assert modules(trace) == ["blocks", "blocks.0", "blocks.1", "blocks.2"]


def test_what_owns_a_profiler_attaches_around_its_windows() -> None:
    model = seeded(TinyModel)
    with nothing_left(model):
        annotation = annotate(model)
        for _ in range(2):

            def run() -> None:
                annotation.attach()
                model(X)
                annotation.detach()

            with nothing_left(model):
                trace = record(run)
            assert components(trace) == ["tiny_model"]
            assert loads(trace[METADATA_KEY]).modules


def test_what_cannot_be_annotated_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="neither a module nor a pipeline: int"):
        annotate(3)
    with pytest.raises(TypeError, match="component 'unet' is no module: dict"):
        annotate(None, components={"unet": {}})  # type: ignore[dict-item]


def test_without_a_profiler_nothing_is_written_or_changed() -> None:
    model = seeded(TinyModel)
    plain = model(X)
    with nothing_left(model), annotate(model):
        assert torch.equal(model(X), plain)
    assert ours(record(lambda: model(X))) == []
