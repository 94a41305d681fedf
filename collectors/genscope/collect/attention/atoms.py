"""What the dimensions of a tensor are made of, and how that follows a reshape, a cat or a slice.

A dimension is a product of atoms: the dimension of a batch of flattened images is (batch, height,
width). An atom knows what it counts (`kinds`) and which input of the model it came with
(`sources`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

BATCH, FRAMES, HEIGHT, WIDTH = "batch", "frames", "height", "width"
SPACE, VIDEO = "space", "video"
"""Pixels of an image, or of all frames, that came flattened."""
TEXT, TOKENS = "text", "tokens"
FEATURES, COPIES = "features", "copies"
UNSURE = "unsure"
"""Stands beside other kinds where a dimension was split without knowing along which of them."""

PARAMETER, CONSTANT = "<parameter>", "<constant>"
CACHE, ELSEWHERE = "<cache>", "<elsewhere>"
"""Sources other than inputs of the model."""


@dataclass(frozen=True, slots=True)
class Atom:
    """A factor of a dimension."""

    size: int
    kinds: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    parts: tuple[tuple[Atom, ...], ...] = ()
    """What was concatenated, in order."""


Atoms = tuple[Atom, ...]
Dims = tuple[Atoms, ...]


def atom(size: int, *kinds: str, source: str | None = None) -> Atom:
    """Return an atom that is no concatenation."""
    return Atom(size, frozenset(kinds), frozenset((source,)) if source else frozenset())


def features(size: int) -> Atoms:
    """Return the dimension of channels that a projection makes."""
    return (atom(size, FEATURES),)


def is_input(source: str) -> bool:
    """Tell whether a source is an input of the model."""
    return not source.startswith("<")


def leaves(atoms: Iterable[Atom]) -> Iterator[Atom]:
    """Yield the atoms of a dimension, those of concatenated parts in place of the whole."""
    for one in atoms:
        if one.parts:
            for part in one.parts:
                yield from leaves(part)
        else:
            yield one


def merged(atoms: Iterable[Atom], size: int) -> Atoms:
    """Return one atom of `size` that knows what all `atoms` know together."""
    kinds: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    for one in leaves(atoms):
        kinds |= one.kinds
        sources |= one.sources
    return (Atom(size, kinds, sources),)


def extent(atoms: Iterable[Atom]) -> int:
    """Return the size of a dimension."""
    size = 1
    for one in atoms:
        size *= one.size
    return size


def knowledge(atoms: Atoms) -> tuple[int, int]:
    """Rank how much is known of a dimension, to choose between the operands of an operation."""
    large = [one for one in atoms if one.size != 1] or atoms
    least = min((max(map(_rank, leaves((one,)))) for one in large), default=0)
    return least, -max((len(one.kinds) for one in atoms), default=0)


def _rank(one: Atom) -> int:
    if COPIES in one.kinds:
        return 1
    return 4 * any(map(is_input, one.sources)) + 2 * bool(one.kinds) + bool(one.sources)


def resized(atoms: Atoms, size: int) -> Atoms:
    """Return the dimension after an operation that keeps its meaning and perhaps not its size."""
    return atoms if extent(atoms) == size else merged(atoms, size)


def reshaped(dims: Dims, shape: Sequence[int]) -> Dims:
    """Return the dimensions of a tensor of `dims` that is viewed as `shape`."""
    exact = _dealt([one for atoms in dims for one in atoms], shape)
    return _matched(dims, shape) if exact is None else exact


def _dealt(left: list[Atom], shape: Sequence[int]) -> Dims | None:
    left = list(reversed(left))
    result: list[Atoms] = []
    for size in shape:
        taken: list[Atom] = []
        if size == 1:
            if left and left[-1].size == 1:
                taken.append(left.pop())
        else:
            need = size
            while need > 1:
                if not left:
                    return None
                one = left.pop()
                if one.size and need % one.size == 0:
                    taken.append(one)
                    need //= one.size
                elif one.size % need == 0:
                    taken.append(_split(one, need))
                    left.append(_split(one, one.size // need))
                    need = 1
                else:
                    return None
        result.append(tuple(taken))
    return None if any(one.size != 1 for one in left) else tuple(result)


def _split(one: Atom, size: int) -> Atom:
    (whole,) = merged((one,), size)
    unsure = len(whole.kinds & {FRAMES, HEIGHT, WIDTH, SPACE, VIDEO}) > 1 or VIDEO in whole.kinds
    return replace(whole, kinds=whole.kinds | {UNSURE}) if unsure else whole


def _matched(dims: Dims, shape: Sequence[int]) -> Dims:
    """Keep the equal dimensions at both ends; all others know what all others knew."""
    first = 0
    while first < min(len(dims), len(shape)) and extent(dims[first]) == shape[first]:
        first += 1
    last = 0
    while last < min(len(dims), len(shape)) - first and extent(dims[-1 - last]) == shape[-1 - last]:
        last += 1
    middle = [one for atoms in dims[first : len(dims) - last] for one in atoms]
    return (
        *dims[:first],
        *(merged(middle, size) for size in shape[first : len(shape) - last]),
        *dims[len(dims) - last :],
    )


def concatenated(parts: Sequence[Atoms]) -> Atoms:
    """Return a dimension along which `parts` follow each other."""
    flat: list[Atoms] = []
    for part in parts:
        if len(part) == 1 and part[0].parts:
            flat.extend(part[0].parts)
        else:
            flat.append(part)
    (whole,) = merged([one for part in flat for one in part], sum(map(extent, flat)))
    return (replace(whole, parts=tuple(flat)),)


def sliced(atoms: Atoms, start: int, size: int) -> Atoms:
    """Return `size` places from `start` of a dimension."""
    if start == 0 and size == extent(atoms):
        return atoms
    if len(atoms) == 1 and atoms[0].parts:
        found: list[Atoms] = []
        at = 0
        for part in atoms[0].parts:
            length = extent(part)
            low, high = max(start, at), min(start + size, at + length)
            if low < high:
                found.append(sliced(part, low - at, high - low))
            at += length
        if found:
            return found[0] if len(found) == 1 else concatenated(found)
    return merged(atoms, size)


def broadcast(operands: Sequence[Dims], shape: Sequence[int]) -> Dims:
    """Return the dimensions of an elementwise result of `shape`."""
    result: list[Atoms] = []
    for place, size in enumerate(shape):
        best: Atoms = (Atom(size),)
        for dims in operands:
            index = place - len(shape) + len(dims)
            if index >= 0:
                here = dims[index]
                if extent(here) == size and knowledge(here) > knowledge(best):
                    best = here
        result.append(best)
    return tuple(result)


def reduced(dims: Dims, shape: Sequence[int]) -> Dims:
    """Return the dimensions after some were dropped: each size is looked for in order."""
    result: list[Atoms] = []
    place = 0
    for size in shape:
        while place < len(dims) and extent(dims[place]) != size:
            place += 1
        result.append(dims[place] if place < len(dims) else (Atom(size),))
        place += 1
    return tuple(result)
