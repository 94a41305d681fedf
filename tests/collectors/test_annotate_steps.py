"""Which step a component's call belongs to."""

from __future__ import annotations

from typing import Any

import torch

from genscope.collect import annotate
from tests.collectors import small
from tests.collectors.models.cases import CASES
from tests.collectors.small import TinyModel, seeded
from tests.collectors.support import components, nothing_left, record


class Scheduler:
    """Steps like a scheduler of diffusers."""

    def set_timesteps(self, count: int) -> None:
        self.timesteps = torch.arange(count)

    def step(self, noise: torch.Tensor) -> torch.Tensor:
        return noise


class OddScheduler(Scheduler):
    """Makes its step of the one above."""

    def step(self, noise: torch.Tensor) -> torch.Tensor:
        return super().step(noise)


def test_both_calls_of_guidance_are_one_step_of_the_scheduler() -> None:
    unet, vae, scheduler = seeded(TinyModel), seeded(small.Coder), OddScheduler()
    hidden = torch.ones(1, 4)

    def run() -> None:
        with (
            nothing_left(unet, vae, scheduler),
            annotate({"unet": unet, "vae": vae, "scheduler": scheduler}),
        ):
            for _ in range(2):
                scheduler.set_timesteps(2)
                vae.encode(hidden)
                for _ in scheduler.timesteps:
                    scheduler.step(unet(hidden) + unet(hidden))
                vae.decode(hidden)

    once = ["vae", "unet step=0", "unet step=0", "unet step=1", "unet step=1", "vae"]
    assert components(record(run)) == once * 2


class _Denoiser(TinyModel):
    def forward(self, hidden: torch.Tensor, timestep: Any = None) -> torch.Tensor:
        return super().forward(hidden)


def test_without_a_scheduler_calls_with_the_same_timestep_are_one_step() -> None:
    model = seeded(_Denoiser)
    hidden = torch.ones(1, 4)

    def run() -> None:
        with annotate(model, components={"unet": model}):
            for time in [torch.tensor(9), torch.tensor(9), 3, 2]:
                model(hidden, time)
                model(hidden, timestep=time)

    steps = [name.split("=")[1] for name in components(record(run))]
    assert steps == ["0", "0", "1", "1", "2", "2", "3", "3"]


def test_tokens_are_counted_from_the_prompt_of_each_generation() -> None:
    model = small.llama()
    prompt = small.tokens()

    def run() -> None:
        with nothing_left(model), annotate(model):
            for _ in range(2):
                model.generate(prompt, max_new_tokens=3, do_sample=False, pad_token_id=0)

    assert components(record(run)) == ["llama step=0", "llama step=1", "llama step=2"] * 2


def test_tokens_are_counted_without_generate_as_long_as_the_cache_grows() -> None:
    model = small.llama()
    prompt = small.tokens()

    def text() -> None:
        cache = None
        for tokens in (prompt, prompt[:, :1], prompt[:, :1]):
            cache = model(tokens, past_key_values=cache, use_cache=True).past_key_values

    def run() -> None:
        with torch.inference_mode(), annotate(model):
            text()
            text()

    assert components(record(run)) == ["llama step=0", "llama step=1", "llama step=2"] * 2


def test_in_training_the_step_is_that_of_the_optimizer() -> None:
    model = seeded(TinyModel).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def run() -> None:
        with nothing_left(model, optimizer), annotate(model):
            for _ in range(2):
                for _ in range(2):  # two batches, gradients added up
                    model(torch.ones(1, 4)).sum().backward()
                optimizer.step()
            model.eval()
            model(torch.ones(1, 4))

    assert components(record(run)) == [
        "tiny_model step=0",
        "tiny_model step=0",
        "tiny_model step=1",
        "tiny_model step=1",
        "tiny_model",
    ]


def test_optimizers_that_take_turns_make_one_step() -> None:
    model = seeded(TinyModel).train()
    two = [torch.optim.SGD(part.parameters(), lr=0.1) for part in (model.blocks, model.out)]

    def run() -> None:
        with annotate(model):
            for _ in range(3):
                model(torch.ones(1, 4)).sum().backward()
                for optimizer in two:
                    optimizer.step()

    assert components(record(run)) == [f"tiny_model step={step}" for step in range(3)]


def test_a_window_in_the_middle_of_a_loop_goes_on_counting() -> None:
    model = seeded(TinyModel).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def step() -> None:
        model(torch.ones(1, 4)).sum().backward()
        optimizer.step()

    with annotate(model) as annotation:
        step()
        step()
        assert components(record(step)) == ["tiny_model step=2"]
        annotation.steps.training = 40
        assert components(record(step)) == ["tiny_model step=40"]
        assert components(record(step)) == ["tiny_model step=41"]


def test_a_pipeline_is_found_by_any_of_its_parts() -> None:
    built = CASES["stable_diffusion_v1"].build()
    pipe = built.target

    def run() -> None:
        with nothing_left(pipe), annotate(attention=False):
            built.run()

    calls = components(record(run))
    assert calls == components(record(lambda: _named(built)))
    assert calls[0] == "text_encoder"
    assert "unet step=0" in calls
    assert "unet step=1" in calls
    assert calls[-1] == "vae"
    assert not [name for name in calls if "unet" not in name and "step" in name]


def _named(built: Any) -> None:
    with annotate(built.target, attention=False):
        built.run()


def test_no_value_of_a_tensor_is_read() -> None:
    class Unread(torch.Tensor):
        def item(self) -> Any:
            raise AssertionError("a value was read")

        __bool__ = __int__ = __float__ = __index__ = item

    model = seeded(_Denoiser)
    time = torch.tensor(3).as_subclass(Unread)

    def run() -> None:
        with annotate(model, components={"unet": model}, attention=False):
            model(torch.ones(1, 4), time)
            model(torch.ones(1, 4), timestep=time.clone())

    assert len(components(record(run))) == 2
