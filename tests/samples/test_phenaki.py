from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from genscope.suite.models.base import Task, parameters
from genscope.suite.models.phenaki import _SIZES, MODEL, CViViT, MaskGit, _drawn
from tests.samples.recording import Seen, seen

TASK = Task(steps=2, image_size=32, frames=17, prompt=12)
TINY = _SIZES["tiny"]


@pytest.fixture
def vivit() -> CViViT:
    torch.manual_seed(0)
    return CViViT(TINY).eval().requires_grad_(False)


def test_one_run_makes_a_video_and_goes_on_with_it() -> None:
    pipe = MODEL.pipeline("tiny", MODEL.build("tiny"))
    with torch.inference_mode():
        assert pipe.run(TASK).shape == (1, 17, 3, 32, 32)
        assert pipe.run(replace(TASK, frames=11)).shape == (1, 11, 3, 32, 32)


def test_attention_calls_are_those_counted_by_hand(tmp_path: Path) -> None:
    calls = seen(MODEL, TASK, tmp_path)
    # 11 frames are 1 + 5 slots of 4 x 4 patches. Guidance doubles the batch of the transformer.
    layer = [
        Seen("transformer", "self", "spatiotemporal", 2, 96, 96, False),
        Seen("transformer", "cross", "spatiotemporal", 2, 96, 12, False),
    ]
    decoder = [
        *[Seen("vae", "self", "temporal", 16, 6, 6, True)] * 2,
        *[Seen("vae", "self", "spatial", 6, 16, 16, False)] * 2,
    ]
    # The last 5 frames are 1 + 2 slots.
    encoder = [
        *[Seen("vae", "self", "spatial", 3, 16, 16, False)] * 2,
        *[Seen("vae", "self", "temporal", 16, 3, 3, True)] * 2,
    ]
    part = [*layer * 3 * 2, *decoder]
    text = [Seen("text_encoder", "self", "sequence", 2, 12, 12, False)] * 2
    assert calls == [*text, *part, *encoder, *part]


def test_paper_scale_attends_over_1536_tokens_and_is_as_large_as_published() -> None:
    calls = MODEL.calls("paper", MODEL.tasks["paper"])
    transformer = [call for call in calls if call.component == "transformer"]
    assert {call.q_len for call in transformer} == {1536}
    assert len(transformer) == 2 * 24 * 24
    sizes = parameters(MODEL.build("paper", device="meta"))
    assert sizes["transformer"] == pytest.approx(1.8e9, rel=0.05)
    assert sizes["text_encoder"] == pytest.approx(4.76e9, rel=0.01)


def test_tokens_of_a_slot_of_time_do_not_depend_on_later_frames(vivit: CViViT) -> None:
    video = torch.randn(1, 11, 3, 16, 16)
    ids = vivit.encode(video)
    assert ids.shape == (1, 6, 2, 2)
    changed = video.clone()
    changed[:, 5:] = torch.randn(1, 6, 3, 16, 16)
    again = vivit.encode(changed)
    # Frames 1 to 4 are slots 1 and 2.
    assert torch.equal(again[:, :3], ids[:, :3])
    assert not torch.equal(again[:, 3:], ids[:, 3:])
    assert torch.equal(vivit.encode(video[:, :5]), ids[:, :3])


def test_frames_do_not_depend_on_tokens_of_later_slots(vivit: CViViT) -> None:
    ids = torch.randint(0, TINY.codes, (1, 6, 2, 2))
    video = vivit.decode(ids)
    assert video.shape == (1, 11, 3, 16, 16)
    changed = ids.clone()
    changed[:, 3:] = (changed[:, 3:] + 1) % TINY.codes
    again = vivit.decode(changed)
    torch.testing.assert_close(again[:, :5], video[:, :5])
    assert not torch.allclose(again[:, 5:], video[:, 5:])


def test_patches_stay_where_they_were(vivit: CViViT) -> None:
    # One frame, no attention: what goes in at a patch comes out at that patch.
    for blocks in (vivit.encode_space, vivit.encode_time, vivit.decode_time, vivit.decode_space):
        del blocks[:]
    video = torch.randn(1, 11, 3, 16, 16)
    moved = video.clone()
    moved[:, 3:5, :, :8, 8:] = torch.randn(1, 2, 3, 8, 8)
    differs = (vivit.encode(moved) != vivit.encode(video)).nonzero().tolist()
    assert differs == [[0, 2, 0, 1]]
    ids = torch.zeros(1, 6, 2, 2, dtype=torch.int64)
    other = ids.clone()
    other[0, 2, 0, 1] = 1
    pixels = (vivit.decode(other) - vivit.decode(ids)).abs() > 1e-6
    assert pixels[:, 3:5, :, :8, 8:].all()
    assert pixels.sum() == 2 * 3 * 8 * 8


def test_every_step_makes_more_tokens_known_and_keeps_those_that_are() -> None:
    torch.manual_seed(0)
    model = MaskGit(TINY).eval().requires_grad_(False)
    start = torch.full((1, 2, 4, 4), model.mask)
    start[0, 0] = 7
    given: list[torch.Tensor] = []
    model.register_forward_pre_hook(lambda _, args: given.append(args[0][0].clone()))
    ids = _drawn(model, start, torch.randn(2, 5, 64), steps=4)
    assert ids.max() < model.mask
    assert (ids[0, 0] == 7).all()
    masked = [int((one == model.mask).sum()) for one in given]
    # 16 masked tokens, by the cosine of a quarter, a half, three quarters of the way.
    assert masked == [16, 14, 11, 6]
    for earlier, later in zip(given, [*given[1:], ids[0]], strict=True):
        known = earlier != model.mask
        assert torch.equal(earlier[known], later[known])


@pytest.mark.parametrize(
    "task", [replace(TASK, frames=12), replace(TASK, frames=10), replace(TASK, image_size=20)]
)
def test_a_task_that_cannot_be_run_is_refused(task: Task) -> None:
    MODEL.check("tiny", TASK)
    with pytest.raises(ValueError, match=r"frames come as|multiple of 8"):
        MODEL.check("tiny", task)
