"""Attention written out: a product of queries and keys, a softmax, a product with the values.

Between them scores may be scaled, masked, cast, dropped out or viewed otherwise. A softmax
without both products is none (a choice of tokens, a pooling), nor is a product with a matrix of
weights.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import torch

from genscope.collect.attention import einsum
from genscope.collect.attention.ledger import Known, Ledger
from genscope.collect.attention.readers import Seen, name_of
from genscope.collect.attention.verdict import Operand

PRODUCTS = frozenset(("bmm", "matmul", "__matmul__", "__rmatmul__", "baddbmm", "einsum", "mm"))
SOFTMAX = frozenset(("softmax", "_softmax"))
_MASKS = frozenset(
    [
        "add",
        "add_",
        "__add__",
        "__radd__",
        "__iadd__",
        "sub",
        "__sub__",
        "masked_fill",
        "masked_fill_",
        "where",
        "maximum",
    ]
)
BETWEEN = _MASKS | frozenset(
    [
        "mul",
        "mul_",
        "__mul__",
        "__rmul__",
        "__imul__",
        "div",
        "div_",
        "__div__",
        "__truediv__",
        "__itruediv__",
        "sub_",
        "__isub__",
        "true_divide",
        "dropout",
        "dropout_",
        "to",
        "float",
        "half",
        "bfloat16",
        "double",
        "type",
        "type_as",
        "view",
        "reshape",
        "view_as",
        "unflatten",
        "flatten",
        "contiguous",
        "clone",
        "clamp",
        "clamp_",
        "tanh",
        "tanh_",
        "nan_to_num",
        "nan_to_num_",
        "transpose",
        "permute",
        "swapaxes",
        "T",
        "mT",
        "unsqueeze",
        "squeeze",
        "__getitem__",
        "narrow",
        "cat",
        "pad",
        "expand",
        "masked",
        "native_dropout",
        "alpha_dropout",
        "feature_dropout",
    ]
)


class Sides(NamedTuple):
    """Which dimensions of the operands of a product are what, one letter each."""

    left: str
    right: str
    output: str


class Scores(NamedTuple):
    """A product that may be one of queries and keys."""

    sides: Sides
    left: tuple[int, ...]
    right: tuple[int, ...]
    dtype: torch.dtype
    known: tuple[Known, Known] | None = None
    """Of left and right, where tensors are being followed."""
    mask: str = "none"
    keys: str = ""
    """The letter that the softmax ran over, "" before it."""


class Chain(NamedTuple):
    """A whole chain that has just ended."""

    seen: Seen
    operands: tuple[Operand, Operand] | None


@dataclass
class Chains:
    """Follows the scores of one thread. Holds no tensor alive."""

    ledger: Ledger | None = None
    _live: dict[int, tuple[weakref.ref[torch.Tensor], Scores]] = field(default_factory=dict)

    def observe(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> Chain | None:
        """Take note of a torch function; return the chain that it ended, if it did."""
        if name in PRODUCTS:
            return self._product(name, args, kwargs, result)
        if not self._live:
            return None
        if name in SOFTMAX:
            self._softmax(args, kwargs, result)
        elif name in BETWEEN:
            self._between(name, args, result)
        return None

    def clear(self) -> None:
        """Forget all scores."""
        self._live.clear()

    def _find(self, value: Any) -> Scores | None:
        entry = self._live.get(id(value))
        return entry[1] if entry is not None and entry[0]() is value else None

    def _put(self, tensor: torch.Tensor, scores: Scores) -> None:
        if len(self._live) > 64:
            self._live = {key: one for key, one in self._live.items() if one[0]() is not None}
        self._live[id(tensor)] = (weakref.ref(tensor), scores)

    def _softmax(self, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        given = args[0] if args else kwargs.get("input")
        scores = self._find(given)
        if scores is None or scores.keys or not isinstance(result, torch.Tensor):
            return
        dim = args[1] if len(args) > 1 else kwargs.get("dim", -1)
        output = scores.sides.output
        place = dim if dim < 0 else dim - result.dim()
        keys = output[place] if -place <= len(output) else output[-1]
        self._put(result, scores._replace(keys=keys))

    def _between(self, name: str, args: tuple[Any, ...], result: Any) -> None:
        if not isinstance(result, torch.Tensor):
            return
        given = args[0] if args and isinstance(args[0], (list, tuple)) else args[:3]
        for one in given:
            scores = self._find(one)
            if scores is not None:
                if name in _MASKS and not scores.keys and _masked(args, one):
                    scores = scores._replace(mask="tensor")
                self._put(result, scores)
                return

    def _product(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> Chain | None:
        sides, left, right, mask = _operands(name, args, kwargs)
        for probabilities, values, places in ((left, right, sides), (right, left, _turned(sides))):
            scores = self._find(probabilities) if self._live else None
            if scores is None:
                continue
            if _is_weight(values):
                # Heads that are mixed: still scores.
                self._put(result, scores)
                return None
            if scores.keys:
                return self._ended(scores, places, probabilities, values)
        if not (_is_weight(left) or _is_weight(right)):
            known = None
            if self.ledger is not None:
                known = (self.ledger.of(left), self.ledger.of(right))
            shapes = tuple(left.shape), tuple(right.shape)
            self._put(result, Scores(sides, *shapes, left.dtype, known, mask))
        return None

    def _ended(
        self, scores: Scores, places: Sides, probabilities: torch.Tensor, values: torch.Tensor
    ) -> Chain | None:
        sides, left, right, known = scores.sides, scores.left, scores.right, scores.known
        if scores.keys in sides.left:
            sides, left, right = _turned(sides), right, left
            known = (known[1], known[0]) if known is not None else None
        gone = [letter for letter in places.left if letter not in places.output]
        seen = _lengths(sides, left, right, scores.keys)
        summed = math.prod(probabilities.shape[places.left.index(letter)] for letter in gone)
        if seen is None or not gone or seen.kv_len is None or summed < seen.kv_len:
            return None
        width = math.prod(
            values.shape[place]
            for place, letter in enumerate(places.right)
            if letter in places.output and letter not in places.left
        )
        seen = seen._replace(v_head_dim=width, mask=scores.mask, dtype=name_of(scores.dtype))
        self._live = {key: one for key, one in self._live.items() if one[0]() is not probabilities}
        operands = None
        if known is not None:
            operands = _operand(sides, known[0], True), _operand(sides, known[1], False)
        return Chain(seen, operands)


def _masked(args: tuple[Any, ...], scores: Any) -> bool:
    return any(isinstance(one, torch.Tensor) and one is not scores and one.dim() for one in args)


def _is_weight(tensor: torch.Tensor) -> bool:
    return tensor.dim() == 2 and (
        isinstance(tensor, torch.nn.Parameter) or isinstance(tensor._base, torch.nn.Parameter)
    )


def _turned(sides: Sides) -> Sides:
    return Sides(sides.right, sides.left, sides.output)


def _operands(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Sides, torch.Tensor, torch.Tensor, str]:
    """Return letters and operands of a product, and whether something was added to it."""
    mask = "none"
    if name == "einsum":
        equation, operands = einsum.arguments(args)
        left, right = operands
        return Sides(*_letters(equation, left.dim(), right.dim())), left, right, mask
    if name == "baddbmm":
        left = args[1] if len(args) > 1 else kwargs["batch1"]
        right = args[2] if len(args) > 2 else kwargs["batch2"]
        mask = "none" if kwargs.get("beta", 1) == 0 else "tensor"
    else:
        left = args[0] if args else kwargs["input"]
        right = args[1] if len(args) > 1 else kwargs.get("other", kwargs.get("mat2"))
        if name == "__rmatmul__":
            left, right = right, left
    return _aligned(left.dim(), right.dim()), left, right, mask


@lru_cache(maxsize=1024)
def _letters(equation: str, left: int, right: int) -> tuple[str, str, str]:
    inputs, output = einsum.letters(equation, (left, right))
    return inputs[0], inputs[1], output


@lru_cache(maxsize=64)
def _aligned(left: int, right: int) -> Sides:
    """Return letters for a product of matrices, whose leading dimensions are broadcast."""
    if left < 2 or right < 2:
        raise ValueError("no matrices")
    lead = "abcdefgh"[: max(left, right) - 2]
    return Sides(
        lead[len(lead) - left + 2 :] + "mk",
        lead[len(lead) - right + 2 :] + "kn",
        lead + "mn",
    )


class _Roles(NamedTuple):
    tokens: str
    """Of queries; "" where there is one query without a dimension."""
    alone: str
    """Other letters of queries alone: heads that share their keys."""
    shared: str


@lru_cache(maxsize=256)
def _roles(sides: Sides, keys: str) -> _Roles | None:
    """Say what the letters are; None if `sides`, with keys on the right, is no such product."""
    left, right, output = sides
    if keys not in right or keys in left or not set(left) & set(right) - set(output):
        return None
    alone = [letter for letter in output if letter in left and letter not in right]
    shared = [letter for letter in output if letter in left and letter in right]
    return _Roles(alone[-1] if alone else "", "".join(alone[:-1]), "".join(shared))


@lru_cache(maxsize=1024)
def _lengths(sides: Sides, left: tuple[int, ...], right: tuple[int, ...], keys: str) -> Seen | None:
    roles = _roles(sides, keys)
    if roles is None:
        return None
    query = dict(zip(sides.left, left, strict=True))
    key = dict(zip(sides.right, right, strict=True))
    heads = roles.alone
    if len(roles.shared) > 1:
        heads += roles.shared[-1]
    batch = [letter for letter in roles.shared if letter not in heads]
    return Seen(
        batch=math.prod(max(query[letter], key[letter]) for letter in batch),
        heads=math.prod(query[letter] for letter in heads) if heads else None,
        kv_heads=math.prod(key.get(letter, 1) for letter in heads) if heads else None,
        q_len=query[roles.tokens] if roles.tokens else 1,
        kv_len=key[keys],
        head_dim=math.prod(
            size for letter, size in query.items() if letter in key and letter not in sides.output
        ),
        v_head_dim=None,
        causal=False,
        mask="none",
        dtype="",
    )


def _operand(sides: Sides, known: Known, query: bool) -> Operand:
    """Take apart what is known of the queries on the left, or of the keys on the right."""
    names, other = (sides.left, sides.right) if query else (sides.right, sides.left)
    place = dict(zip(names, known.dims, strict=True))
    alone = [letter for letter in sides.output if letter in place and letter not in other]
    shared = [letter for letter in sides.output if letter in place and letter in other]
    named = alone[:-1] + (shared[-1:] if len(shared) > 1 else [])
    return Operand(
        tokens=place[alone[-1]] if alone else (),
        heads=tuple(one for letter in named for one in place[letter]) if named else None,
        batch=tuple(one for letter in shared if letter not in named for one in place[letter]),
        origins=known.origins,
    )
