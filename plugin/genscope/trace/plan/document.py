"""The document of a plan: what a run would do, its loops kept as loops.

Ops and ranges stand in bodies, in the order in which they begin, each with its depth. A loop is a
row of bodies that is gone through `count` times; what runs once is a loop of one. Texts that differ
from round to round (sizes that grow) are told by how they grow. The times are those of some rounds,
between which they are interpolated.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import msgspec

FORMAT = "genscope.plan"
VERSION = 1

COLUMNS = ("name", "dims", "types", "inputs")
"""Columns of a body that hold texts."""

LARGEST_ROWS = 1 << 26


class Growing(msgspec.Struct, kw_only=True):
    """A text with numbers that grow: `pieces` with numbers `first + round * step` between them."""

    pieces: list[str]
    first: list[int]
    step: list[int]

    def texts(self, rounds: list[int]) -> list[str]:
        """The text of each of `rounds`."""
        found = []
        for one in rounds:
            numbers = [str(a + one * b) for a, b in zip(self.first, self.step, strict=True)]
            numbers.append("")
            found.append("".join(x + y for x, y in zip(self.pieces, numbers, strict=True)))
        return found


class Body(msgspec.Struct, kw_only=True):
    """Ops and ranges in the order in which they begin; all lists are of one length.

    Texts are places in `Plan.texts`, beyond its end in `Plan.growing`, or -1.
    """

    depth: list[int]
    kind: list[int]
    """1 for an op, 2 for a range (`genscope.trace.Kind`)."""
    name: list[int]
    dims: list[int]
    types: list[int]
    inputs: list[int]


class Loop(msgspec.Struct, kw_only=True):
    """Bodies that run one after the other, `count` times."""

    count: int
    bodies: list[int]
    at: list[int] = []
    """Rounds whose times are told, from the first to the last."""
    ns: list[list[list[int]]] = []
    """Times by round of `at`, body and event: what an event takes itself, without those in it."""


class Held(msgspec.Struct, kw_only=True):
    """What a component keeps in memory."""

    component: str
    parameters: int
    weight_bytes: int


class Plan(msgspec.Struct, kw_only=True):
    """A run that nobody made."""

    genscope_plan: int = VERSION
    format: str = FORMAT
    device: str
    """Name of the device that is meant."""
    on_cpu: bool
    """Whether the device is a CPU, so that the ops themselves take the time."""
    attention: str
    dtype: str
    assumed: str
    """How times were told, in a sentence."""
    metadata: dict[str, Any] = {}
    texts: list[str] = []
    growing: list[Growing] = []
    bodies: list[Body] = []
    loops: list[Loop] = []
    held: list[Held] = []
    activation_bytes: int = 0
    """Most bytes of results that lived at once, caches included."""
    calls_made: int = 0
    calls_left_out: int = 0
    guesses: dict[str, int] = {}
    """Values that were asked for and answered with 0, by op."""

    def rows(self) -> int:
        """How many ops and ranges the run has."""
        return sum(
            loop.count * sum(len(self.bodies[one].depth) for one in loop.bodies)
            for loop in self.loops
        )


def encode(plan: Plan) -> bytes:
    """Return the document as JSON."""
    return msgspec.json.encode(plan)


def decode(data: bytes) -> Plan:
    """Read a document, and check that all it refers to is there. Raises ValueError."""
    try:
        plan = msgspec.json.decode(data, type=Plan)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"is no plan: {error}") from error
    if plan.format != FORMAT or plan.genscope_plan > VERSION:
        raise ValueError("is a plan of another version; a newer GenScope reads it")
    texts = len(plan.texts) + len(plan.growing)
    for growing in plan.growing:
        if len(growing.pieces) != len(growing.first) + 1 or len(growing.first) != len(growing.step):
            raise ValueError("has a text that does not add up")
    for body in plan.bodies:
        columns = (body.kind, body.name, body.dims, body.types, body.inputs)
        if any(len(column) != len(body.depth) for column in columns):
            raise ValueError("has a body whose columns differ in length")
        if any(not -1 <= one < texts for column in columns[1:] for one in column):
            raise ValueError("has a body with a text that is not there")
        if any(not 0 <= one < 1000 for one in body.depth) or any(
            k not in (1, 2) for k in body.kind
        ):
            raise ValueError("has a body that makes no sense")
    for loop in plan.loops:
        _check_loop(plan, loop)
    if plan.rows() > LARGEST_ROWS:
        raise ValueError(f"has more than {LARGEST_ROWS:,} events")
    return plan


def _check_loop(plan: Plan, loop: Loop) -> None:
    if not 0 <= loop.count <= LARGEST_ROWS or not loop.bodies:
        raise ValueError("has a loop that makes no sense")
    if any(not 0 <= one < len(plan.bodies) for one in loop.bodies):
        raise ValueError("has a loop with a body that is not there")
    if len(loop.ns) != len(loop.at) or loop.at != sorted(set(loop.at)):
        raise ValueError("has a loop whose times make no sense")
    for times in loop.ns:
        if [len(one) for one in times] != [len(plan.bodies[one].depth) for one in loop.bodies]:
            raise ValueError("has a loop whose times do not fit")
        if any(not 0 <= ns < 1 << 50 for one in times for ns in one):
            raise ValueError("has a time that cannot be")


def save(plan: Plan, path: str | os.PathLike[str]) -> None:
    """Write the document, as gzip where the name ends so. Raises OSError."""
    data = encode(plan)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        # Without a time in it: the same plan gives the same file.
        partial.write_bytes(gzip.compress(data, 6, mtime=0) if target.suffix == ".gz" else data)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
