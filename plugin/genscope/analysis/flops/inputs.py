"""What a trace recorded of one op's inputs, and the cost that a formula makes of it.

Positions count the inputs of the op as its schema declares them, which is how the profiler records
`Input Dims`, `Input type` and `Concrete Inputs`. The text is untrusted: it is parsed, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

import msgspec

WIDTHS = {
    "double": 8,
    "float": 4,
    "c10::half": 2,
    "half": 2,
    "c10::bfloat16": 2,
    "bfloat16": 2,
    "c10::float8_e4m3fn": 1,
    "c10::float8_e4m3fnuz": 1,
    "c10::float8_e5m2": 1,
    "c10::float8_e5m2fnuz": 1,
    "c10::float8_e8m0fnu": 1,
    "c10::float4_e2m1fn_x2": 1,
    "c10::complex<float>": 8,
    "c10::complex<double>": 16,
    "c10::complex<c10::half>": 4,
    "long int": 8,
    "long": 8,
    "long long": 8,
    "int": 4,
    "unsigned int": 4,
    "uint32_t": 4,
    "short": 2,
    "short int": 2,
    "unsigned short": 2,
    "signed char": 1,
    "unsigned char": 1,
    "bool": 1,
}
"""Bytes an element, by the dtype as the profiler writes it, in lower case."""

NO_TENSOR = ("", "scalar", "scalarlist", "tensorlist", "genericlist")

DTYPES = {
    "double": "float64",
    "float": "float32",
    "c10::half": "float16",
    "half": "float16",
    "c10::bfloat16": "bfloat16",
    "bfloat16": "bfloat16",
    "signed char": "int8",
    "unsigned char": "uint8",
    "long int": "int64",
    "int": "int32",
    "c10::float4_e2m1fn_x2": "float4",
}
"""Dtypes as PyTorch spells them; float8 ones are all `float8`, whose peak rates are the same."""

# Larger sizes than these occur in no memory, only in broken or hostile files.
_MOST_ELEMENTS = 2**48


@dataclass(frozen=True, slots=True)
class Tensor:
    """Shape and dtype of a tensor; `width` is bytes an element, 0 where the dtype is not known."""

    dims: tuple[int, ...]
    dtype: str = ""
    width: int = 0

    @property
    def numel(self) -> int:
        """Number of elements."""
        return prod(self.dims)

    @property
    def nbytes(self) -> int:
        """Size in bytes, 0 where the dtype is not known."""
        return self.numel * self.width

    def shaped(self, dims: Iterable[int]) -> Tensor:
        """A tensor of this dtype with another shape."""
        return Tensor(tuple(dims), self.dtype, self.width)


@dataclass(frozen=True, slots=True)
class Cost:
    """What an op does: floating-point operations, and bytes read and written, each tensor once.

    `flops` or `moved` is None where the inputs do not tell it. `doubt` says what was assumed.
    """

    flops: int | None
    moved: int | None
    dtype: str = ""
    """Of the operands, as PyTorch spells it, for the rate that a device has."""
    doubt: str | None = None


@dataclass(slots=True)
class Op:
    """The inputs of one op, or of all that are recorded alike."""

    name: str
    """The whole name, with its namespace."""
    tensors: tuple[Tensor | None, ...] = ()
    lists: dict[int, tuple[Tensor, ...]] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    output: tuple[int, ...] | None = None
    """Shape of the result, where the trace tells it by what comes next."""

    @property
    def base(self) -> str:
        """The name without namespace and overload."""
        return self.name.rpartition("::")[2].partition(".")[0]

    def tensor(self, place: int) -> Tensor | None:
        """The tensor at a position, None where the input is none."""
        return self.tensors[place] if 0 <= place < len(self.tensors) else None

    def given(self) -> list[Tensor]:
        """All tensors, those in lists too, in order."""
        found = [one for one in self.tensors if one is not None]
        return found + [one for listed in self.lists.values() for one in listed]

    def ints(self, place: int) -> tuple[int, ...] | None:
        """The integers of `[1, 2]` or `1`; None where they were not recorded, or are none."""
        text = self.value(place)
        try:
            found = msgspec.json.decode(text) if text else None
        except (msgspec.DecodeError, RecursionError):
            return None
        listed = found if isinstance(found, list) else [found]
        if not all(type(one) is int and abs(one) < _MOST_ELEMENTS for one in listed):
            return None
        return tuple(listed)

    def flag(self, place: int) -> bool | None:
        """A flag; None where it was not recorded."""
        return {"True": True, "False": False}.get(self.value(place))

    def value(self, place: int) -> str:
        """The text of an input that is no tensor, "" where it was not recorded."""
        return self.values[place] if 0 <= place < len(self.values) else ""


def read_op(name: str, dims: str | None, types: str | None, inputs: str | None) -> Op | None:
    """Read the inputs of an op from the JSON texts of a trace; None where it has no shapes.

    An input is a tensor where its dtype is known, or its shape where dtypes were not recorded.
    """
    shapes = _listed(dims)
    if shapes is None:
        return None
    names = _listed(types)
    tensors: list[Tensor | None] = []
    lists: dict[int, tuple[Tensor, ...]] = {}
    for place, shape in enumerate(shapes):
        dtype = names[place] if names is not None and place < len(names) else None
        if isinstance(shape, list) and shape and all(isinstance(one, list) for one in shape):
            inner = dtype if isinstance(dtype, list) else [""] * len(shape)
            given = [_tensor(one, kind) for one, kind in zip(shape, inner, strict=False)]
            lists[place] = tuple(one for one in given if one is not None)
            tensors.append(None)
        elif names is not None and isinstance(dtype, str) and dtype.lower() in NO_TENSOR:
            tensors.append(None)
        else:
            tensors.append(_tensor(shape, dtype if isinstance(dtype, str) else ""))
    values = tuple(one if isinstance(one, str) else "" for one in _listed(inputs) or ())
    return Op(name, tuple(tensors), lists, values)


def _listed(text: str | None) -> list[object] | None:
    try:
        found = msgspec.json.decode(text) if text else None
    except (msgspec.DecodeError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _tensor(shape: object, dtype: object) -> Tensor | None:
    if not isinstance(shape, list) or not all(type(one) is int and one >= 0 for one in shape):
        return None
    if not isinstance(dtype, str) or (not dtype and not shape):
        return None
    if prod(shape) > _MOST_ELEMENTS:
        return None
    key = dtype.lower()
    known = DTYPES.get(key, "float8" if "float8" in key else key.rpartition("::")[2][:40])
    return Tensor(tuple(shape), known, WIDTHS.get(key, 0))


def moved(*tensors: Tensor | None) -> int | None:
    """Bytes of all the tensors, each once; None where a dtype is not known."""
    known = [one for one in tensors if one is not None]
    if any(not one.width for one in known):
        return None
    return sum(one.nbytes for one in known)


def broadcast(tensors: Sequence[Tensor]) -> Tensor | None:
    """The tensor that elementwise work on these makes; None if their shapes do not fit.

    Its dtype is that of the widest which has dimensions: a number beside a tensor, recorded as one
    without any, does not widen it.
    """
    if not tensors:
        return None
    rank = max(len(one.dims) for one in tensors)
    dims = [1] * rank
    for one in tensors:
        for place, size in enumerate(one.dims, rank - len(one.dims)):
            if dims[place] == 1:
                dims[place] = size
            elif size not in (1, dims[place]):
                return None
    shaped = [one for one in tensors if one.dims] or list(tensors)
    widest = max(shaped, key=lambda one: (one.dtype.startswith(_FLOATING), one.width))
    return widest.shaped(dims)


_FLOATING = ("float", "bfloat", "complex")


def is_floating(tensor: Tensor) -> bool:
    """Whether work on a tensor is floating-point work, as far as its dtype is known."""
    return not tensor.dtype or tensor.dtype.startswith(_FLOATING)
