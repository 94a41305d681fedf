from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel, UNet2DModel
from torch import nn

from genscope.suite.models.base import Task, parameters
from genscope.suite.models.make_a_video import MODEL
from genscope.suite.models.video_unet import UNetSize, VideoUNet
from tests.samples.recording import Seen, seen

TASK = Task(steps=2, image_size=64, frames=5, prompt=77)

KARLO = {
    "block_out_channels": (320, 640, 960, 1280),
    "layers_per_block": 3,
    "resnet_time_scale_shift": "scale_shift",
}

SMALL = UNetSize(3, 3, (32, 64), 1, (False, True), head_width=16, text_width=8)


def in_images(module: nn.Module) -> int:
    """Weights that work on single frames: all but those along time and of the frame rate."""
    return sum(
        weight.numel()
        for name, weight in module.named_parameters()
        if "temporal" not in name and not name.startswith("rate.")
    )


@pytest.fixture(scope="module")
def paper() -> dict[str, nn.Module]:
    return MODEL.build("paper", device="meta")


def test_one_run_makes_the_frames_between_and_enlarges_twice() -> None:
    components = MODEL.build("tiny")
    with torch.inference_mode():
        video = MODEL.pipeline("tiny", components).run(TASK)
    # 16 x 16 twice enlarged by 2; one frame between each two of 5.
    assert video.shape == (1, 9, 3, 64, 64)
    assert video.isfinite().all()


def test_attention_is_spatial_then_temporal_with_the_other_in_the_batch(tmp_path: Path) -> None:
    calls = seen(MODEL, TASK, tmp_path)

    def step(component: str, videos: int, frames: int) -> list[Seen]:
        # A side of 16: attention at 8, 4 and 2, once on the way down, twice up, once in the middle.
        return [
            one
            for positions in (64, 16, 4, 4, 4, 4, 16, 16, 64, 64)
            for one in (
                Seen(
                    component, "joint", "spatial", videos * frames, positions, positions + 77, False
                ),
                Seen(component, "self", "temporal", videos * positions, frames, frames, False),
            )
        ]

    text = [Seen("text_encoder", "self", "sequence", 2, 77, 77, True)] * 2
    prior = [Seen("prior", "self", "sequence", 2, 81, 81, False)] * 2 * 2
    # With guidance the UNet sees two videos; the frames between are made for one.
    assert calls == [*text, *prior, *step("unet", 2, 5) * 2, *step("interpolation", 1, 9)]


def test_more_frames_make_temporal_attention_longer_and_spatial_attention_wider() -> None:
    usual = MODEL.tasks["paper"]
    calls = MODEL.calls("paper", usual)
    assert {c.q_len for c in calls if c.axis == "temporal"} == {16, 76}
    assert {c.q_len for c in calls if c.axis == "spatial"} == {1024, 256, 64}
    longer = MODEL.calls("paper", replace(usual, frames=32))
    assert {c.q_len for c in longer if c.axis == "temporal"} == {32, 156}
    assert len(longer) == len(calls)


def test_paper_scale_without_time_is_as_large_as_karlo(paper: dict[str, nn.Module]) -> None:
    # The named stand-in: its UNet of 0.9 billion weights, and its super-resolution of 0.7 billion.
    with torch.device("meta"):
        decoder = UNet2DConditionModel(
            sample_size=64,
            attention_head_dim=64,
            in_channels=3,
            out_channels=6,
            cross_attention_dim=1536,
            class_embed_type="identity",
            down_block_types=("ResnetDownsampleBlock2D", *("SimpleCrossAttnDownBlock2D",) * 3),
            up_block_types=(*("SimpleCrossAttnUpBlock2D",) * 3, "ResnetUpsampleBlock2D"),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn",
            **KARLO,
        )
        enlarging = UNet2DModel(
            sample_size=256,
            in_channels=6,
            out_channels=3,
            add_attention=False,
            down_block_types=("ResnetDownsampleBlock2D",) * 4,
            up_block_types=("ResnetUpsampleBlock2D",) * 4,
            **KARLO,
        )
    for ours, theirs in (
        ("unet", decoder),
        ("interpolation", decoder),
        ("super_resolution_1", enlarging),
    ):
        count = sum(weight.numel() for weight in theirs.parameters())
        assert in_images(paper[ours]) == pytest.approx(count, rel=0.05), ours


def test_paper_scale_has_the_sizes_that_are_told(paper: dict[str, nn.Module]) -> None:
    sizes = {name: count / 1e9 for name, count in parameters(paper).items()}
    assert sizes == pytest.approx(
        {
            "text_encoder": 0.124,
            "prior": 1.022,
            "unet": 1.153,
            "interpolation": 1.153,
            "super_resolution_1": 0.906,
            "super_resolution_2": 0.282,
        },
        rel=0.005,
    )
    # The last one takes frames by themselves.
    assert in_images(paper["super_resolution_2"]) == parameters(paper)["super_resolution_2"]


def test_frames_of_a_video_see_each_other_and_those_of_another_do_not() -> None:
    torch.manual_seed(0)
    unet = VideoUNet(SMALL).eval()
    videos = torch.randn(6, 3, 8, 8)
    text = torch.randn(2, 4, 8)
    with torch.inference_mode():
        before = unet(videos, torch.tensor(7), frames=3, text=text)
        videos[0] += 1
        after = unet(videos, torch.tensor(7), frames=3, text=text)
    assert before.shape == (6, 3, 8, 8)
    changed = [not torch.allclose(a, b, atol=1e-6) for a, b in zip(before, after, strict=True)]
    assert changed == [True] * 3 + [False] * 3


def test_without_time_each_frame_is_by_itself_and_the_text_still_counts() -> None:
    torch.manual_seed(0)
    unet = VideoUNet(replace(SMALL, temporal=False)).eval()
    frames = torch.randn(3, 3, 8, 8)
    text = torch.randn(1, 4, 8)
    with torch.inference_mode():
        before = unet(frames, torch.tensor(7), frames=3, text=text)
        other = unet(frames, torch.tensor(7), frames=3, text=text + 1)
        frames[0] += 1
        after = unet(frames, torch.tensor(7), frames=3, text=text)
    assert not torch.allclose(before, other, atol=1e-6)
    torch.testing.assert_close(before[1:], after[1:])
    assert not torch.allclose(before[0], after[0], atol=1e-6)


@pytest.mark.parametrize("task", [replace(TASK, image_size=80), replace(TASK, frames=1)])
def test_a_task_that_cannot_be_run_is_refused(task: Task) -> None:
    MODEL.check("tiny", TASK)
    with pytest.raises(ValueError, match=r"multiple of 32|two frames"):
        MODEL.check("tiny", task)
