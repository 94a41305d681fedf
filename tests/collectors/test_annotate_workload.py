"""What the document tells of the run, and of the components."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from genscope.collect import annotate
from genscope.collect.metadata import Writer
from genscope.collect.registry import Registry
from genscope.schema import METADATA_KEY, Document, Workload, loads
from tests.collectors import small
from tests.collectors.models.cases import CASES
from tests.collectors.small import TinyModel, seeded
from tests.collectors.support import record


def document(run: Any, *args: Any, **options: Any) -> Document:
    def annotated() -> None:
        with torch.inference_mode(), annotate(*args, attention=False, **options):
            run()

    return loads(record(annotated)[METADATA_KEY])


def test_a_pipeline_tells_size_steps_and_batch() -> None:
    built = CASES["stable_diffusion_v1"].build()
    pipe = built.target
    known = document(built.run, pipe)
    assert known.workload.model == "StableDiffusionPipeline"
    assert known.workload.device == "cpu"
    assert known.workload.dtype == "float32"
    assert known.workload.steps == 2
    assert known.workload.batch == 1
    assert known.workload.prompt_length == pipe.tokenizer.model_max_length
    assert known.workload.training is False
    height, width = known.workload.image_size or (0, 0)
    image = pipe.vae.config.sample_size
    assert (height, width) == tuple(built.run().shape[-2:]), image
    assert known.libraries["torch"] == torch.__version__
    assert "diffusers" in known.libraries


def test_components_tell_their_weights() -> None:
    model = CASES["t5"].build().target
    known = document(lambda: model(small.tokens(), decoder_input_ids=small.tokens()), model)
    found = {part.name: part for part in known.components}
    encoder, decoder = found["text_encoder"], found["decoder"]
    assert encoder.class_name == "T5Stack"
    assert encoder.parameters == sum(weight.numel() for weight in model.encoder.parameters())
    assert encoder.parameter_bytes == 4 * (encoder.parameters or 0)
    assert (encoder.dtype, encoder.device) == ("float32", "cpu")
    # The embedding belongs to both, the weights within the encoder to the encoder alone.
    whole = sum(weight.numel() for weight in model.parameters())
    shared = model.shared.weight.numel()
    assert (encoder.parameters or 0) + (decoder.parameters or 0) - shared == whole


def test_a_language_model_tells_prompt_and_batch() -> None:
    model = small.llama()
    known = document(lambda: model.generate(small.tokens(9), max_new_tokens=2), model)
    assert (known.workload.model, known.workload.prompt_length) == ("LlamaForCausalLM", 9)
    assert known.workload.batch == 1


def test_what_the_user_says_wins() -> None:
    model = small.llama()
    said = {"model": "mine", "prompt_length": 3, "image_size": [8, 9], "seed": 7}
    known = document(lambda: model(small.tokens(9)), model, workload=said).workload
    assert (known.model, known.prompt_length, known.image_size) == ("mine", 3, (8, 9))
    assert known.extra == {"seed": 7}
    assert known.dtype == "float32"
    again = document(lambda: model(small.tokens(9)), model, workload=Workload(batch=5)).workload
    assert (again.batch, again.prompt_length) == (5, 9)


def test_training_is_told() -> None:
    model = seeded(TinyModel).train()

    def run() -> None:
        with torch.inference_mode(False), torch.enable_grad():
            model(torch.ones(1, 4))

    assert document(run, model).workload.training is True


def test_the_highest_memory_stands_in_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter([5, 9, 7])
    monkeypatch.setattr("genscope.collect.workload.peak_memory", lambda: next(peaks))
    monkeypatch.setattr("genscope.collect.metadata._BETWEEN_LOOKS_S", -1.0)
    registry = Registry()

    def run() -> None:
        writer = Writer(registry)
        for _ in range(3):
            writer.write()

    assert loads(record(run)[METADATA_KEY]).peak_memory_bytes == 9
