"""A language model of transformers, from a prompt to new tokens: what LLaMA2 and Llama 3 share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from genscope.suite.models import parts
from genscope.suite.models.base import Call, Components, Model, Pipeline, Scale, Task

COMPONENT = "llama"


def language_model(sizes: Mapping[Scale, dict[str, Any]], tasks: Mapping[Scale, Task]) -> Model:
    """Return the model whose `sizes` are those of `parts.llama`."""

    def components(scale: Scale) -> Components:
        return {COMPONENT: parts.llama(**sizes[scale])}

    def pipeline(scale: Scale, components: Components) -> Pipeline:
        model: Any = components[COMPONENT]

        def run(task: Task) -> torch.Tensor:
            prompt, new = _lengths(task)
            ids = parts.tokens(1, prompt, sizes[scale]["vocabulary"], model)
            mask = torch.ones_like(ids)
            return parts.generated(model, new, input_ids=ids, attention_mask=mask)

        return Pipeline(model, run)

    def calls(scale: Scale, task: Task) -> list[Call]:
        return parts.generation_calls(COMPONENT, sizes[scale]["layers"], *_lengths(task))

    def check(scale: Scale, task: Task) -> None:
        positions = sizes[scale]["positions"]
        if sum(_lengths(task)) > positions:
            raise ValueError(f"prompt and new tokens together are at most {positions}")

    return Model(components, pipeline, tasks, calls, check)


def _lengths(task: Task) -> tuple[int, int]:
    assert task.prompt is not None and task.tokens is not None
    return task.prompt, task.tokens
