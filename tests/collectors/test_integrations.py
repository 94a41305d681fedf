"""Callbacks in the real loops of the libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.collectors.traces import names, read


def steps(folder: Path) -> list[str]:
    found = names(read(folder), "user_annotation")
    return [name for name in found if name.startswith("ProfilerStep")]


def assert_nothing_left(*models: nn.Module) -> None:
    assert not torch.autograd._profiler_enabled()  # type: ignore[attr-defined]
    for model in models:
        for module in model.modules():
            assert not module._forward_hooks
            assert not module._forward_pre_hooks


@pytest.mark.parametrize("library", ["transformers", "diffusers", "accelerate", "lightning"])
def test_the_collector_imports_no_library(library: str) -> None:
    script = (
        "import sys, genscope.collect.switch, genscope.collect.pair, genscope.collect.integrations;"
        f"sys.exit({library!r} in sys.modules)"
    )
    path = ":".join(["collectors", "plugin"])
    assert subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": path}).returncode == 0


# transformers ------------------------------------------------------------------------------


class Regression(nn.Module):
    def __init__(self, fail_at: int | None = None) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 1)
        self.calls = 0
        self.fail_at = fail_at

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        if self.calls == self.fail_at:
            raise KeyError("mine")
        self.calls += 1
        out = self.linear(x)
        return {"loss": nn.functional.mse_loss(out, labels), "logits": out}


def trainer(model: nn.Module, callback: Any, folder: Path, steps: int = 6) -> Any:
    from transformers import Trainer, TrainingArguments

    data = [{"x": torch.randn(4), "labels": torch.randn(1)} for _ in range(16)]
    arguments = TrainingArguments(
        output_dir=str(folder / "out"),
        max_steps=steps,
        per_device_train_batch_size=2,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
        logging_strategy="no",
    )
    return Trainer(model=model, args=arguments, train_dataset=data, callbacks=[callback])


def test_transformers_trainer(tmp_path: Path) -> None:
    from genscope.collect.integrations.transformers import GenScopeCallback

    model = Regression()
    callback = GenScopeCallback(tmp_path / "run", wait=1, warmup=1, active=2)
    trainer(model, callback, tmp_path).train()
    trace = read(tmp_path / "run")
    assert steps(tmp_path / "run") == ["ProfilerStep#2", "ProfilerStep#3"]
    found = names(trace)
    assert found.count("aten::mse_loss") == 2
    # Forward, backward and optimizer of both steps.
    assert sum(name.startswith("Optimizer.step") for name in found) == 2
    assert any("MseLossBackward" in name for name in found)
    assert_nothing_left(model)


def test_transformers_trainer_with_an_exception(tmp_path: Path) -> None:
    from genscope.collect.integrations.transformers import GenScopeCallback

    model = Regression(fail_at=2)
    callback = GenScopeCallback(tmp_path / "run", warmup=0, active=4)
    job = trainer(model, callback, tmp_path)
    with pytest.raises(KeyError, match="mine"), callback:
        job.train()
    assert_nothing_left(model)
    # What was recorded up to there is written.
    assert names(read(tmp_path / "run")).count("aten::mse_loss") == 2


def test_transformers_training_begun_again_closes_what_was_left(tmp_path: Path) -> None:
    from genscope.collect.integrations.transformers import GenScopeCallback

    model = Regression(fail_at=1)
    callback = GenScopeCallback(tmp_path / "run", warmup=0, active=2)
    job = trainer(model, callback, tmp_path)
    with pytest.raises(KeyError):
        job.train()
    model.fail_at = None
    job.train()
    assert len(list((tmp_path / "run").iterdir())) == 2
    assert_nothing_left(model)


def test_options_are_refused_before_a_run(tmp_path: Path) -> None:
    from genscope.collect.integrations.transformers import GenScopeCallback

    with pytest.raises(ValueError, match="active"):
        GenScopeCallback(tmp_path, active=0)


# lightning ---------------------------------------------------------------------------------


def lightning(package: str) -> Any:
    return pytest.importorskip(package)


def module_of(library: Any, fail: bool = False) -> Any:
    class Module(library.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 1)

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            if fail and index == 2:
                raise KeyError("mine")
            return self.linear(batch).square().mean()  # type: ignore[no-any-return]

        def predict_step(self, batch: Any, index: int) -> torch.Tensor:
            return self.linear(batch)  # type: ignore[no-any-return]

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.01)

    return Module()


def lightning_trainer(library: Any, callback: Any, folder: Path) -> Any:
    return library.Trainer(
        accelerator="cpu",
        max_epochs=1,
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )


LOADER = torch.utils.data.DataLoader(torch.randn(12, 4), batch_size=2)  # type: ignore[arg-type, var-annotated]
PACKAGES = ["lightning.pytorch", "pytorch_lightning"]


@pytest.mark.parametrize("package", PACKAGES)
def test_lightning_training(package: str, tmp_path: Path) -> None:
    library = lightning(package)
    from genscope.collect.integrations.lightning import GenScopeCallback

    callback = GenScopeCallback(tmp_path / "run", wait=1, warmup=1, active=2)
    assert isinstance(callback, library.Callback)
    model = module_of(library)
    lightning_trainer(library, callback, tmp_path).fit(model, LOADER)
    assert steps(tmp_path / "run") == ["ProfilerStep#2", "ProfilerStep#3"]
    found = names(read(tmp_path / "run"))
    assert sum(name.startswith("Optimizer.step") for name in found) == 2
    assert_nothing_left(model)


@pytest.mark.parametrize("package", PACKAGES)
def test_lightning_prediction(package: str, tmp_path: Path) -> None:
    library = lightning(package)
    from genscope.collect.integrations.lightning import GenScopeCallback

    callback = GenScopeCallback(tmp_path / "run", warmup=0, active=3)
    model = module_of(library)
    lightning_trainer(library, callback, tmp_path).predict(model, LOADER)
    assert len(steps(tmp_path / "run")) == 3
    assert_nothing_left(model)


@pytest.mark.parametrize("package", PACKAGES)
def test_lightning_exception(package: str, tmp_path: Path) -> None:
    library = lightning(package)
    from genscope.collect.integrations.lightning import GenScopeCallback

    callback = GenScopeCallback(tmp_path / "run", warmup=0, active=5)
    model = module_of(library, fail=True)
    with pytest.raises(KeyError, match="mine"):
        lightning_trainer(library, callback, tmp_path).fit(model, LOADER)
    assert_nothing_left(model)
    assert len(steps(tmp_path / "run")) == 3


# diffusers ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pipe() -> Any:
    from tests.collectors.models.cases import CASES

    return CASES["stable_diffusion_v1"].build().target


def draw(pipe: Any, callback: Any, steps: int = 4) -> torch.Tensor:
    with torch.inference_mode():
        image: torch.Tensor = pipe(
            "a",
            height=64,
            width=64,
            num_inference_steps=steps,
            output_type="pt",
            generator=torch.Generator().manual_seed(0),
            callback_on_step_end=callback,
        ).images
    return image


def test_diffusers_steps(pipe: Any, tmp_path: Path) -> None:
    from genscope.collect.integrations.diffusers import GenScopeCallback

    plain = draw(pipe, None)
    with GenScopeCallback(tmp_path / "run", pipe, wait=1, warmup=1, active=2) as callback:
        image = draw(pipe, callback)
    assert torch.equal(image, plain)
    # The VAE follows the last denoising step; it is no longer part of the window.
    assert steps(tmp_path / "run") == ["ProfilerStep#2", "ProfilerStep#3"]
    assert_nothing_left(pipe.unet, pipe.vae, pipe.text_encoder)


def test_diffusers_without_a_block_begins_with_the_second_step(pipe: Any, tmp_path: Path) -> None:
    from genscope.collect.integrations.diffusers import GenScopeCallback

    callback = GenScopeCallback(tmp_path / "run", warmup=0, active=2)
    draw(pipe, callback)
    assert len(steps(tmp_path / "run")) == 2
    callback.close()
    assert_nothing_left(pipe.unet)


def test_diffusers_gets_its_arguments_back_unchanged(tmp_path: Path) -> None:
    from genscope.collect.integrations.diffusers import GenScopeCallback

    callback = GenScopeCallback(tmp_path / "run")
    given = {"latents": torch.ones(1)}
    assert callback(None, 0, 1, given) is given
    assert callback(None, 1, 1, given) is given
    callback.close()


# accelerate --------------------------------------------------------------------------------


def test_accelerate_loop(tmp_path: Path) -> None:
    from accelerate import Accelerator

    from genscope.collect.integrations.accelerate import collector

    accelerator = Accelerator(cpu=True)
    inner = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    model, optimizer = accelerator.prepare(inner, torch.optim.SGD(inner.parameters(), 0.1))
    with collector(accelerator, model, tmp_path / "run", warmup=1, active=2) as counter:
        for _ in range(4):
            accelerator.backward(model(torch.randn(2, 4)).sum())
            optimizer.step()
            optimizer.zero_grad()
            counter.step()
    assert steps(tmp_path / "run") == ["ProfilerStep#1", "ProfilerStep#2"]
    assert_nothing_left(inner)


def test_accelerate_on_another_rank_does_nothing(tmp_path: Path) -> None:
    from genscope.collect.integrations.accelerate import collector

    class Second:
        is_main_process = False

        def unwrap_model(self, model: nn.Module) -> nn.Module:
            return model

    with collector(Second(), nn.Linear(1, 1), tmp_path / "run") as counter:
        counter.step()
    assert not (tmp_path / "run").exists()
    model = nn.Linear(1, 1)
    with collector(Second(), model, tmp_path / "run", every_rank=True):
        model(torch.ones(1))
    assert len(list((tmp_path / "run").iterdir())) == 1
