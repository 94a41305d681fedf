"""What an attention call is: kind, axis and the true heads, from what its operands are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from genscope.collect.attention.atoms import (
    BATCH,
    CACHE,
    COPIES,
    FEATURES,
    FRAMES,
    HEIGHT,
    PARAMETER,
    SPACE,
    TEXT,
    TOKENS,
    UNSURE,
    VIDEO,
    WIDTH,
    Atom,
    Atoms,
    extent,
    is_input,
    leaves,
)
from genscope.collect.attention.ledger import Known, Ledger
from genscope.collect.attention.readers import Layout, Seen


@dataclass(frozen=True, slots=True)
class Operand:
    """Queries, or keys, of a call: what their dimensions are made of."""

    tokens: Atoms
    heads: Atoms | None
    """None where heads have no dimension of their own."""
    batch: Atoms
    """All other leading dimensions."""
    origins: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fact:
    """What was found out about an attention call, in a form that holds for its later calls."""

    kind: str | None
    axis: str | None
    reason: str
    heads: int | None = None
    kv_heads: int | None = None
    guessed: bool = False
    """Whether it holds for the lengths of one call alone."""


_PIXELS = frozenset((HEIGHT, WIDTH, SPACE))
_IMAGE = _PIXELS | {FRAMES, VIDEO}


def judge(ledger: Ledger, query: Operand, key: Operand, causal: bool) -> Fact:
    """Decide on kind and axis, and count the heads."""
    kind, why = _kind(ledger, query, key, causal)
    axis, how = _axis(ledger, query, key)
    heads, kv_heads = _heads(query), _heads(key, COPIES)
    packed = _count(query.tokens, FEATURES)
    if heads is not None and packed > 1 and _sources(key.tokens):
        # Heads that share their keys stand where queries stand otherwise.
        heads *= packed
    return Fact(kind, axis, f"{why}; {how}", heads, kv_heads)


def true(seen: Seen, fact: Fact | None) -> Seen:
    """Return what the arguments of a call say, put right by what is known of the place."""
    heads, kv_heads, batch, q_len = seen.heads, seen.kv_heads, seen.batch, seen.q_len
    known = fact.heads if fact is not None else None
    if fact is not None and known:
        if heads is None:
            if batch is not None and batch % known == 0:
                heads, batch = known, batch // known
        elif heads < known and known % heads == 0 and heads in (kv_heads, fact.kv_heads):
            share = known // heads
            if q_len is not None and q_len % share == 0:
                heads, q_len, kv_heads = known, q_len // share, fact.kv_heads
        if heads == known and kv_heads in (None, heads):
            kv_heads = fact.kv_heads
    if heads is None and q_len is not None:
        heads = 1
    return seen._replace(heads=heads, kv_heads=kv_heads or heads, batch=batch, q_len=q_len)


def operand(known: Known, layout: Layout) -> Operand:
    """Take apart what is known of the queries or keys of a call."""
    dims = known.dims
    tokens, heads = layout.tokens % len(dims), None
    if layout.heads is not None:
        heads = layout.heads % len(dims)
    lead = range(len(dims) - 1)
    batch = tuple(one for place in lead if place not in (tokens, heads) for one in dims[place])
    # A token of its own is lost among features where heads were packed around it.
    lone = tuple(one for one in dims[-1] if one.size == 1 and FEATURES not in one.kinds)
    return Operand(
        tokens=dims[tokens] + lone,
        heads=dims[heads] if heads is not None else None,
        batch=batch,
        origins=known.origins,
    )


def _kind(ledger: Ledger, query: Operand, key: Operand, causal: bool) -> tuple[str, str]:
    ours, theirs = _inputs(query.tokens), _inputs(key.tokens)
    if ours and theirs:
        if not ours & theirs:
            return "cross", f"queries from {_names(ours)}, keys from {_names(theirs)}"
        streams = _streams(ledger, query.tokens) | _streams(ledger, key.tokens)
        if len(streams) > 1 and (ours != theirs or len(_streams(ledger, key.tokens)) > 1):
            return "joint", f"{' and '.join(sorted(streams))} concatenated"
        return "self", f"queries and keys from {_names(theirs)}"
    held, holding = _sources(query.tokens), _sources(key.tokens)
    if theirs and held == {PARAMETER}:
        return "cross", f"learned queries, keys from {_names(theirs)}"
    if ours and holding <= {CACHE, PARAMETER} and holding and not causal:
        return "cross", f"queries from {_names(ours)}, keys only from {_names(holding)}"
    if held == holding == {PARAMETER}:
        return "self", "learned queries and keys"
    return _fallback(query, key)


def _fallback(query: Operand, key: Operand) -> tuple[str, str]:
    ours = frozenset(filter(is_input, query.origins))
    theirs = frozenset(filter(is_input, key.origins))
    if ours and theirs:
        if ours & theirs:
            return "self", "by origin: queries and keys share inputs"
        return "cross", "by origin: queries and keys share no input"
    if extent(query.tokens) == extent(key.tokens):
        return "self", "by lengths: as many keys as queries"
    return "cross", "by lengths: not as many keys as queries"


def _axis(ledger: Ledger, query: Operand, key: Operand) -> tuple[str, str]:
    for operand, whose in ((query, "queries"), (key, "keys")):
        kinds = _kinds(ledger, operand.tokens)
        shown = ", ".join(sorted(kinds - {UNSURE, BATCH})) or BATCH
        moved = sorted(_kinds(ledger, operand.batch) - {UNSURE, BATCH})
        why = f"{whose} run over {shown}" + (f", {', '.join(moved)} in the batch" if moved else "")
        if UNSURE in kinds:
            why = f"by sizes: {why}"
        for axis, fits in _AXES:
            if fits(kinds):
                return axis, why
        if kinds == {BATCH}:
            # Frames that came within the batch, or tokens that stand before it.
            return ("temporal" if set(moved) & _PIXELS else "sequence"), why
    return "sequence", "by default: nothing known of the tokens"


def _spatiotemporal(kinds: frozenset[str]) -> bool:
    return VIDEO in kinds or (FRAMES in kinds and bool(kinds & _PIXELS))


_AXES = (
    ("spatiotemporal", _spatiotemporal),
    ("temporal", lambda kinds: FRAMES in kinds),
    ("spatial", lambda kinds: bool(kinds & _PIXELS)),
    ("sequence", lambda kinds: bool(kinds & {TEXT, TOKENS})),
)


def _heads(operand: Operand, without: str = "") -> int | None:
    """Count heads; `without` copies, each counts once however often it was repeated."""
    if operand.heads is not None:
        return extent(operand.heads) // _count(operand.heads, without)
    count = _count(operand.batch, FEATURES)
    return count if count > 1 else None


def _count(atoms: Iterable[Atom], kind: str) -> int:
    return extent(one for one in atoms if one.kinds == {kind})


def _kinds(ledger: Ledger, atoms: Atoms) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for one in leaves(atoms):
        found |= ledger.kinds(one)
    return found - {FEATURES, COPIES}


def _sources(atoms: Atoms) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for one in leaves(atoms):
        if not one.kinds & {FEATURES, COPIES}:
            found |= one.sources
    return found


def _inputs(atoms: Atoms) -> frozenset[str]:
    return frozenset(filter(is_input, _sources(atoms)))


def _streams(ledger: Ledger, atoms: Atoms) -> frozenset[str]:
    """Name the kinds of tokens in a dimension: two images are one kind, so are two texts."""
    found: set[str] = set()
    for one in leaves(atoms):
        kinds = ledger.kinds(one)
        real = frozenset(filter(is_input, one.sources))
        if not real or kinds & {FEATURES, COPIES}:
            continue
        if kinds & _IMAGE:
            found.add("video" if kinds & {FRAMES, VIDEO} else "image")
        elif TEXT in kinds:
            found.add(TEXT)
        else:
            found.update(_short(source) for source in real)
    return frozenset({"video" if one == "image" and "video" in found else one for one in found})


def _short(source: str) -> str:
    return source.partition("~")[0]


def _names(sources: Iterable[str]) -> str:
    return " and ".join(sorted({_short(source).strip("<>") for source in sources}))
