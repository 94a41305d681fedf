"""Which runs make a sweep: one model, and one parameter that differs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from genscope.analysis.scaling.results import PROFILER, Contribution, LeftOut

Run = tuple[str, Contribution]
"""A label and what it stands for."""

ANNOTATED = "the annotations"
INFERRED = "attention calls, since the annotations do not tell what differs"
PLAIN = "attention calls, since there are no annotations; a model's own size may differ from it"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What can be swept."""

    name: str
    words: str
    unit: str
    of: Callable[[Contribution], float | None]


def is_plain(run: Contribution) -> bool:
    """Whether annotations say nothing of what was run."""
    said = (run.model, run.image_size, run.frames, run.batch, run.prompt_length, run.steps)
    return all(one is None for one in said)


def _side(run: Contribution) -> float | None:
    return math.sqrt(run.image_size[0] * run.image_size[1]) if run.image_size else None


def _batch(run: Contribution) -> float | None:
    return run.lengths.batch if is_plain(run) else run.batch


def _length(run: Contribution) -> float | None:
    return run.lengths.length


PARAMETERS = (
    Parameter("image_size", "image size", "px", _side),
    Parameter("frames", "number of frames", "frames", lambda run: run.frames),
    Parameter("batch", "batch", "in the batch", _batch),
    Parameter("prompt", "prompt length", "prompt tokens", lambda run: run.prompt_length),
    Parameter(
        "tokens", "number of tokens", "tokens", lambda r: r.steps if r.lengths.decodes else None
    ),
    Parameter(
        "steps", "number of steps", "steps", lambda r: None if r.lengths.decodes else r.steps
    ),
    Parameter("length", "length of self attention", "tokens", _length),
)
BY_NAME = {one.name: one for one in PARAMETERS}

_STEPS, _LENGTH = "number of steps", "length of self attention"
_COUNTED = ("tokens", "steps")
"""Parameters that are numbers of steps themselves."""


@dataclass(slots=True)
class Group:
    """Runs that differ in `parameter` alone."""

    parameter: Parameter
    runs: list[Run]
    fixed: dict[str, str]
    found_by: str
    per_step: bool = False

    def value(self, run: Contribution) -> float:
        """Of the parameter."""
        return self.parameter.of(run) or 0.0

    @property
    def values(self) -> list[float]:
        """Distinct values, ascending."""
        return sorted({self.value(run) for _, run in self.runs})


def groups_of(runs: Sequence[Run], by: str | None = None) -> tuple[list[Group], list[LeftOut]]:
    """Split runs into sweeps over `by`, or over whatever differs; and those that none has."""
    found: list[Group] = []
    for parameter in PARAMETERS:
        if by in (None, parameter.name) and parameter.name != "length":
            found += _sweeps(runs, parameter)
    taken = {label for group in found for label, _ in group.runs}
    if by in (None, "length"):
        untold = [run for run in runs if run[0] not in taken or is_plain(run[1])]
        found += _sweeps(untold, BY_NAME["length"])
    taken = {label for group in found for label, _ in group.runs}
    left = [
        LeftOut(run=label, reason=_reason(label, run, runs, by))
        for label, run in runs
        if label not in taken
    ]
    return sorted(found, key=lambda group: -len(group.values)), left


def described(run: Contribution) -> dict[str, str]:
    """Everything that says what was run, but for how attention is computed; by words for it."""
    said: dict[str, object] = {
        "model": run.model,
        "device": " + ".join(sorted(set(run.devices))),
        "time": run.basis,
        "dtype": run.dtype,
        "rank": run.rank,
        "training": run.training,
    }
    if run.image_size and all(run.image_size):
        height, width = run.image_size
        common = math.gcd(height, width)
        said["shape of the image"] = f"{height // common}:{width // common}"
    for parameter in PARAMETERS:
        if parameter.name != "length":
            said[parameter.words] = _plain(parameter.of(run))
    said |= {f"extra {name}": value for name, value in sorted(run.extra.items())}
    if is_plain(run):
        said["structure"] = run.lengths.structure
        said[_LENGTH] = _plain(_length(run))
    return {name: _text(value) for name, value in said.items() if value is not None}


def _plain(value: float | None) -> float | None:
    return int(value) if value is not None and value == int(value) else value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _without(said: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in said.items() if name not in names}


def _sweeps(runs: Sequence[Run], parameter: Parameter) -> Iterator[Group]:
    """Groups over one parameter that have two values of it or more."""
    able = [run for run in runs if (parameter.of(run[1]) or 0) > 0]
    loose = () if parameter.name in _COUNTED else (_STEPS,)
    for members in _alike(able, (parameter.words, *loose)):
        alike = _same_steps(members) or _step_for_step(members, parameter)
        for part in [members] if alike else _alike(members, (parameter.words,)):
            group = _group(part, parameter)
            if len(group.values) > 1:
                yield group


def _alike(runs: Sequence[Run], but: tuple[str, ...]) -> list[list[Run]]:
    """Runs in groups that agree in everything `but` some words."""
    groups: dict[str, list[Run]] = {}
    for label, run in runs:
        key = json.dumps(_without(described(run), *but), sort_keys=True)
        groups.setdefault(key, []).append((label, run))
    return list(groups.values())


def _group(members: list[Run], parameter: Parameter) -> Group:
    first = members[0][1]
    told = ANNOTATED
    if parameter.name == "length":
        told = INFERRED
    if is_plain(first):
        told = PLAIN
    fixed = _without(described(first), parameter.words)
    for _, run in members[1:]:
        other = described(run)
        fixed = {name: value for name, value in fixed.items() if other.get(name) == value}
    group = Group(parameter, members, fixed, told)
    if parameter.name in _COUNTED:
        return group
    group.per_step = not _same_steps(members) or _cut_short(members)
    return group


def _same_steps(members: Sequence[Run]) -> bool:
    return len({run.steps for _, run in members}) == 1


def _step_for_step(members: Sequence[Run], parameter: Parameter) -> bool:
    """Whether runs with different numbers of steps can be set side by side by one step of each."""
    steps: dict[float | None, set[int | None]] = {}
    for _, run in members:
        steps.setdefault(parameter.of(run), set()).add(run.steps)
    one_each = all(len(one) == 1 for one in steps.values())
    same = len({run.steps_are for _, run in members}) == 1
    return one_each and same and all(_counts(run) for _, run in members)


def _counts(run: Contribution) -> bool:
    """Whether the steps of the recording are those of the workload, or the first of them.

    Some schedulers call the model once more. A component that is called for each frame, or each
    token of another, has more steps.
    """
    if run.steps_are in (None, PROFILER) or run.steps is None or run.lengths.decodes:
        return False
    return 0 < run.recorded_steps <= run.steps + 1


def _cut_short(members: Sequence[Run]) -> bool:
    """Whether recordings of one work ended after different numbers of its steps."""
    runs = [run for _, run in members]
    if len({run.recorded_steps for run in runs}) == 1 or not all(run.steps_are for run in runs):
        return False
    if all(run.steps_are == PROFILER for run in runs):
        return True
    same = all(_counts(run) and run.steps_are == runs[0].steps_are for run in runs)
    return same and any(run.recorded_steps < (run.steps or 0) for run in runs)


def _reason(label: str, run: Contribution, runs: Sequence[Run], by: str | None) -> str:
    plain = "it has no annotations, and " if is_plain(run) else ""
    what = BY_NAME[by].words if by is not None else "one parameter"
    if by is not None and not BY_NAME[by].of(run):
        return f"{plain}nothing tells its {what}"
    if plain and run.lengths.length is None:
        return f"{plain}no attention call tells its lengths"
    mine = described(run)
    others = {name: _differs(mine, described(other)) for name, other in runs if name != label}
    if not others:
        return "there is no other run to set beside it"
    of_model = {
        name: words
        for name, words in others.items()
        if words and not {"model", "structure"} & set(words)
    }
    if not of_model and not all(others.values()):
        return f"{plain}all other runs of its model are of the same work"
    if not of_model:
        return f"{plain}no other run is of its {'structure' if plain else 'model'}"
    nearest = min(of_model, key=lambda name: len(of_model[name]))
    words = of_model[nearest]
    said = ", ".join(words[:_WORDS]) + (" and more" if len(words) > _WORDS else "")
    return (
        f"{plain}no run differs from it in {what} alone; the nearest is {nearest}: another {said}"
    )


_WORDS = 6


def _differs(mine: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [word for word in {**mine, **other} if other.get(word) != mine.get(word)]
