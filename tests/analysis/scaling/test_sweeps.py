"""Which runs belong into one sweep, and what is said of those that do not."""

from __future__ import annotations

import pytest

from genscope.analysis.scaling.results import Contribution, Lengths
from genscope.analysis.scaling.sweeps import groups_of
from tests.analysis.scaling.made import image, run

Runs = list[tuple[str, Contribution]]


def shown(runs: Runs, by: str | None = None) -> dict[str, list[str]]:
    """Labels of each sweep, by its parameter."""
    found: dict[str, list[str]] = {}
    for group in groups_of(runs, by)[0]:
        found.setdefault(group.parameter.name, []).append(" ".join(name for name, _ in group.runs))
    return found


def left(runs: Runs, by: str | None = None) -> dict[str, str]:
    return {one.run: one.reason for one in groups_of(runs, by)[1]}


def test_one_parameter() -> None:
    sizes = [(f"{side}", image(side, 1, 1)) for side in (64, 128, 256)]
    assert shown(sizes) == {"image_size": ["64 128 256"]}
    assert left(sizes) == {}
    tokens = Lengths(length=64, batch=1, structure="", decodes=True)
    for name, runs in {
        "frames": [run(frames=n) for n in (4, 8)],
        "batch": [run(batch=n) for n in (1, 2)],
        "prompt": [run(prompt_length=n) for n in (128, 256)],
        "tokens": [run(steps=n, lengths=tokens) for n in (16, 32)],
        "steps": [run(steps=n) for n in (10, 20)],
    }.items():
        assert list(shown([(str(place), one) for place, one in enumerate(runs)])) == [name]


def test_a_grid_is_split_by_everything_else() -> None:
    grid = [
        (f"{side}x{frames}", image(side, 1, 1, frames=frames))
        for side in (64, 128)
        for frames in (4, 8)
    ]
    assert shown(grid) == {
        "image_size": ["64x4 128x4", "64x8 128x8"],
        "frames": ["64x4 64x8", "128x4 128x8"],
    }
    assert shown(grid, "frames") == {"frames": ["64x4 64x8", "128x4 128x8"]}


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"dtype": "float32"}, "dtype"),
        ({"devices": ["another GPU"]}, "device"),
        ({"basis": "cpu_self"}, "time"),
        ({"rank": 1}, "rank"),
        ({"extra": {"seed": 3}}, "extra seed"),
        ({"image_size": (256, 512)}, "shape of the image"),
    ],
)
def test_runs_that_differ_in_more(other: dict[str, object], word: str) -> None:
    odd = image(256, 1, 1)
    for name, value in other.items():
        setattr(odd, name, value)
    runs = [("64", image(64, 1, 1)), ("128", image(128, 1, 1)), ("odd", odd)]
    assert shown(runs) == {"image_size": ["64 128"]}
    assert word in left(runs)["odd"].split("another ")[1]


def test_reasons() -> None:
    runs = [
        ("64", image(64, 1, 1)),
        ("128", image(128, 1, 1)),
        ("llama", run(model="llama", prompt_length=512)),
        ("llama flash", run(model="llama", prompt_length=512, attention="flash")),
        ("other", run(model="other", prompt_length=512)),
    ]
    reasons = left(runs)
    assert reasons["llama"] == "all other runs of its model are of the same work"
    assert reasons["other"] == "no other run is of its model"
    assert left(runs, "frames")["64"] == "nothing tells its number of frames"
    assert left(runs[:1])["64"] == "there is no other run to set beside it"


def plain(length: int | None, batch: int = 1, structure: str = "24 calls") -> Contribution:
    lengths = Lengths(length=length, batch=batch, structure=structure, decodes=False)
    return run(model=None, attention=None, lengths=lengths)


def test_without_annotations_attention_tells() -> None:
    runs = [("a", plain(256)), ("b", plain(512)), ("c", plain(512, batch=4))]
    runs += [("d", plain(1024, structure="12 calls")), ("e", plain(None))]
    groups, _ = groups_of(runs)
    assert {group.parameter.name: [label for label, _ in group.runs] for group in groups} == {
        "length": ["a", "b"],
        "batch": ["b", "c"],
    }
    assert all("no annotations" in group.found_by for group in groups)
    assert left(runs) == {
        "d": "it has no annotations, and no other run is of its structure",
        "e": "it has no annotations, and no attention call tells its lengths",
    }


def test_annotations_that_do_not_tell_what_differs() -> None:
    lengths = [Lengths(length=n, batch=1, structure="", decodes=False) for n in (64, 256, 1024)]
    runs = [(str(one.length), run(batch=1, lengths=one)) for one in lengths]
    assert shown(runs) == {"length": ["64 256 1024"]}


def stepped(side: int, steps: int, recorded: int, by: str = "unet") -> Contribution:
    return image(side, 1, 1, steps=steps, recorded_steps=recorded, steps_are=by)


def test_steps() -> None:
    """Alike: of the whole run. Different: of each step, if all count the same ones."""

    def per_step(*runs: Contribution) -> list[bool]:
        groups, _ = groups_of([(str(place), one) for place, one in enumerate(runs)], "image_size")
        return [group.per_step for group in groups]

    assert per_step(stepped(64, 3, 4), stepped(128, 3, 4)) == [False]
    assert per_step(stepped(64, 3, 4), stepped(128, 2, 3)) == [True]
    assert per_step(stepped(64, 50, 5), stepped(128, 50, 2)) == [True]  # recordings cut short
    # The largest component is called for each frame: its calls are not the steps of the workload.
    assert per_step(stepped(64, 1, 2), stepped(128, 1, 8)) == [False]
    assert per_step(stepped(64, 3, 4), stepped(128, 2, 9)) == []
    assert per_step(stepped(64, 3, 4), stepped(128, 2, 3, "vae")) == []
    # Both at one size: there is no telling which step to take, so equal steps go together.
    both = [stepped(64, 3, 4), stepped(64, 2, 3), stepped(128, 2, 3)]
    assert per_step(*both) == [False]
    profiled = [stepped(64, 3, 5, "profiler"), stepped(128, 3, 2, "profiler")]
    assert per_step(*profiled) == [True]
