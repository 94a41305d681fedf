"""Runs of a sweep made by hand, whose laws are known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genscope.analysis.scaling.results import CATEGORY, TOTAL, Amount, Contribution, Lengths
from genscope.schema import METADATA_KEY, Document, Workload, dumps
from genscope.trace import Trace
from tests.trace.support import Event, document, event, kernel, launch, read


def amount(name: str, time_ns: float, flops: float = 0, **fields: Any) -> Amount:
    """What a category, or `all`, took."""
    known: dict[str, Any] = {
        "group": TOTAL if name == "all" else CATEGORY,
        "name": name,
        "time_ns": round(time_ns),
        "flops": round(flops),
        "unknown_ns": 0,
        "moved_bytes": 0,
        "score_bytes": 0,
        "written_score_bytes": 0,
        "calls": 1,
    }
    return Amount(**{**known, **fields})


def run(times: Mapping[str, float] | None = None, **fields: Any) -> Contribution:
    """A run with the time of some categories; FLOPs are a thousand times that."""
    times = times or {"Attention": 1000, "Convolution": 1000}
    amounts = [
        amount("all", sum(times.values()), 1000 * sum(times.values())),
        *(amount(name, time, 1000 * time) for name, time in times.items()),
    ]
    known: dict[str, Any] = {
        "trace": "made.json",
        "rank": None,
        "basis": "device",
        "devices": ["GPU"],
        "model": "sd",
        "dtype": "float16",
        "image_size": None,
        "frames": None,
        "batch": None,
        "prompt_length": None,
        "steps": None,
        "training": False,
        "attention": "math",
        "implementation": "math",
        "extra": {},
        "lengths": Lengths(length=1024, batch=2, structure="16 attention calls", decodes=False),
        "unfused_share": 1.0,
        "recorded_steps": 0,
        "steps_are": None,
        "amounts": amounts,
        "step_amounts": [],
        "largest_score_bytes": 0,
        "unknown_score_calls": 0,
        "peak_memory_bytes": None,
        "warnings": [],
    }
    return Contribution(**{**known, **fields})


def image(side: int, attends: float, convolves: float, **fields: Any) -> Contribution:
    """A run over square images, with the time of the two categories."""
    return run({"Attention": attends, "Convolution": convolves}, image_size=(side, side), **fields)


def unet(folder: Path, side: int) -> Trace:
    """A convolution, a self and a cross attention at the first stage of a UNet, on a device."""
    latent = side // 8
    queries = [2, 8, latent * latent, 40]
    keys = [2, 8, 77, 40]
    flash = "aten::_scaled_dot_product_flash_attention"
    made = [
        _op("aten::conv2d", [[2, 320, latent, latent], [320, 320, 3, 3]], _CONVOLUTION),
        _op(flash, [queries, queries, queries]),
        _op(flash, [queries, keys, keys]),
    ]
    names = ("implicit_gemm", "flash_fwd_kernel", "flash_fwd_kernel")
    events = []
    for place, (one, name) in enumerate(zip(made, names, strict=True)):
        at = 1000 * place
        events += [
            {**one, "ts": at, "dur": 10},
            launch(place + 1, ts=at + 1, dur=2),
            kernel(place + 1, ts=at + 5, dur=latent, name=name),
        ]
    told = Document(workload=Workload(model="sd", image_size=(side, side), attention="flash"))
    text = document(events, **{METADATA_KEY: json.loads(dumps(told))})
    return read(folder, text, f"{side}.json")


_CONVOLUTION = ["", "", "", "[1, 1]", "[1, 1]", "[1, 1]", "1"]


def _op(name: str, dims: Sequence[Sequence[int]], inputs: Sequence[str] = ()) -> Event:
    types = ["c10::BFloat16"] * len(dims)
    args = {"Input Dims": dims, "Input type": types, "Concrete Inputs": list(inputs)}
    return event(name, args=args)
