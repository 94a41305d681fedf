"""What the collectors cost, as CPU time on a small UNet and a small decoder.

    python -m tests.benchmarks.collect [--pairs 200] [--model unet|decoder]

Each line compares two arms in interleaved pairs, in changing order, each pair a few steps of the
model with one arm and then with the other. The figure is the median of the pairs' ratios with its
95 % interval, which a busy machine widens but does not shift. CPU time is the process's, user and
system; one thread computes. Profiling is with `record_shapes=True`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch.profiler import ProfilerActivity, profile

from genscope.collect.annotate import annotate

Step = Callable[[], Any]
Arm = Callable[[], float]
"""Runs some steps and returns how long they took, in seconds."""

STEPS = 10
"""Steps in each half of a pair: a window of a usual schedule."""


def unet() -> tuple[Any, Step]:
    """Stable Diffusion's UNet in small: 16 by 16 latents, batch 2; one denoising step."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    model = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 64, 128, 128),
        layers_per_block=2,
        attention_head_dim=4,
        cross_attention_dim=64,
    ).eval()
    latents, text = torch.randn(2, 4, 16, 16), torch.randn(2, 77, 64)
    time_ = torch.tensor(10)
    return model, lambda: model(latents, time_, encoder_hidden_states=text)


def decoder() -> tuple[Any, Step]:
    """Llama in small: 4 layers of 128; a prompt of 64 tokens, then 8 one by one."""
    from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=500,
            hidden_size=128,
            intermediate_size=352,
            num_hidden_layers=4,
            num_attention_heads=4,
            max_position_embeddings=128,
        )
    ).eval()
    prompt = torch.randint(0, 500, (1, 64))

    def step() -> None:
        cache, tokens = DynamicCache(), prompt
        for _ in range(9):
            logits = model(tokens, past_key_values=cache).logits
            tokens = logits[:, -1:].argmax(-1)

    return model, step


MODELS: dict[str, Callable[[], tuple[Any, Step]]] = {"unet": unet, "decoder": decoder}


def timed(step: Step, steps: int = STEPS) -> float:
    """CPU seconds of some steps."""
    started = time.process_time()
    for _ in range(steps):
        step()
    return time.process_time() - started


def profiler() -> Any:
    return profile(activities=[ProfilerActivity.CPU], record_shapes=True)


def recorded(step: Step, *, whole: bool) -> float:
    """CPU seconds of some steps under the profiler; `whole` adds its start and stop."""
    started = time.process_time()
    with profiler():
        inner = timed(step)
    return time.process_time() - started if whole else inner


def arms(model: Any, step: Step) -> Iterator[tuple[str, Arm, Arm]]:
    """The comparisons: what is compared, without and with the collector."""
    annotation = annotate(model)
    annotation.attach()
    recorded(step, whole=True)
    annotation.detach()

    def plain() -> float:
        step()
        return timed(step)

    def following() -> float:
        with annotation:
            # What Python has to learn anew is over after a step; what is between windows goes on.
            step()
            return timed(step)

    yield "detached, no profiler", plain, plain
    yield "in `annotate`, no profiler", plain, following
    for whole, what in ((False, "recording: the steps"), (True, "recording, with start and stop")):

        def annotated(whole: bool = whole) -> float:
            annotation.attach()
            try:
                return recorded(step, whole=whole)
            finally:
                annotation.detach()

        yield what, lambda whole=whole: recorded(step, whole=whole), annotated  # type: ignore[misc]


def ratios(without: Arm, with_it: Arm, pairs: int) -> list[float]:
    """The ratio of each pair, sorted."""
    found = []
    for number in range(pairs):
        if number % 2:
            second, first = with_it(), without()
        else:
            first, second = without(), with_it()
        found.append(second / first)
        # A profiler that is done is a cycle of some ten MB. Every third time, so that it is not
        # always the same arm that comes next.
        if number % 3 == 0:
            gc.collect()
    return sorted(found)


def interval(values: list[float]) -> tuple[float, float]:
    """The 95 % interval of the median of sorted values, from their order alone."""
    half = 1.96 * math.sqrt(len(values)) / 2
    middle = len(values) / 2
    low, high = math.floor(middle - half), math.ceil(middle + half)
    return values[max(low, 0)], values[min(high, len(values) - 1)]


def sizes(model: Any, step: Step) -> tuple[int, int]:
    """Bytes of a trace of four steps, without annotations and with them."""
    found = []
    for context in (contextlib.nullcontext(), annotate(model)):
        with context:
            step()
            with profiler() as recording:
                timed(step)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trace.json")
            recording.export_chrome_trace(str(path))
            found.append(path.stat().st_size)
    return found[0], found[1]


def windows(model: Any, step: Step) -> float:
    """CPU milliseconds to attach and detach, median."""
    annotation = annotate(model)
    annotation.attach()
    step()
    annotation.detach()

    def once() -> None:
        annotation.attach()
        annotation.detach()

    return statistics.median(timed(once, 1) for _ in range(15)) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--model", choices=MODELS, action="append")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| model | compared | median ratio | 95 % interval |")
    print("|---|---|---|---|")
    for name in given.model or MODELS:
        model, forward = MODELS[name]()

        def step(forward: Step = forward) -> None:
            with torch.inference_mode():
                forward()

        timed(step, 3)
        gc.disable()
        for what, without, with_it in arms(model, step):
            found = ratios(without, with_it, given.pairs)
            low, high = interval(found)
            middle = statistics.median(found)
            print(f"| {name} | {what} | {middle:.3f} | {low:.3f}–{high:.3f} |", flush=True)
        gc.enable()
        bare, annotated = sizes(model, step)
        print(f"| {name} | size of the trace | {annotated / bare:.3f} | {bare} → {annotated} B |")
        print(f"| {name} | attach and detach | {windows(model, step):.1f} ms | |", flush=True)


if __name__ == "__main__":
    main()
