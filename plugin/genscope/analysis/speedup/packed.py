"""A `Side` as plain data and back: what a cache keeps of a run, to do without its trace.

Columns are kept in the narrowest type that holds them: 100,000 calls take a few megabytes.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from genscope.analysis.attention.columns import Calls, Words
from genscope.analysis.speedup.side import Side
from genscope.schema import dumps, loads
from genscope.trace.errors import TraceWarning

Column = tuple[str, str, bytes]
"""The type of a column, that in which it is kept, and its values."""

_SIDE_COLUMNS = ("index", "time_ns", "attention_ns", "step_ns")
_OTHER = ("calls", "document", "warnings")
_NOT_PLAIN = ("sizes", "texts", "words", "of_event", "notes")
_KINDS = "iub"


class PackedSide(msgspec.Struct, array_like=True):
    """A run. `fields` are those of `Side` that are plain; `calls` lacks `of_event`."""

    fields: dict[str, Any]
    columns: dict[str, Column]
    calls: dict[str, Column]
    sizes: dict[str, Column]
    texts: dict[str, Column]
    words: list[str]
    notes: list[tuple[str, int, str]]
    document: str
    warnings: list[TraceWarning]


def pack(side: Side) -> PackedSide:
    """Return a run as what JSON can hold; `unpack` gives it back."""
    calls = side.calls
    taken = {*_SIDE_COLUMNS, *_OTHER}
    return PackedSide(
        fields={one.name: getattr(side, one.name) for one in fields(Side) if one.name not in taken},
        columns={name: _column(getattr(side, name)) for name in _SIDE_COLUMNS},
        calls={
            one.name: _column(getattr(calls, one.name))
            for one in fields(Calls)
            if one.name not in _NOT_PLAIN
        },
        sizes={name: _column(values) for name, values in calls.sizes.items()},
        texts={name: _column(values) for name, values in calls.texts.items()},
        words=calls.words.listed,
        notes=calls.notes,
        document=dumps(side.document),
        warnings=side.warnings,
    )


def unpack(found: PackedSide) -> Side:
    """Return the run that `pack` was given. Raises ValueError for columns that are none."""
    words = Words()
    for text in found.words:
        words.number(text)
    calls: dict[str, Any] = {name: _values(column) for name, column in found.calls.items()}
    return Side(
        **found.fields,
        **{name: _values(column) for name, column in found.columns.items()},
        calls=Calls(
            **calls,
            sizes={name: _values(column) for name, column in found.sizes.items()},
            texts={name: _values(column) for name, column in found.texts.items()},
            words=words,
            of_event=np.zeros(0, dtype=np.int32),
            notes=found.notes,
        ),
        document=loads(found.document),
        warnings=found.warnings,
    )


def _column(values: npt.NDArray[Any]) -> Column:
    kept = values
    if values.dtype.kind == "i" and len(values):
        least = np.result_type(
            np.min_scalar_type(int(values.min())), np.min_scalar_type(int(values.max()))
        )
        kept = values.astype(least)
    return values.dtype.str, kept.dtype.str, kept.tobytes()


def _values(column: Column) -> Any:
    dtype, kept, data = (np.dtype(column[0]), np.dtype(column[1]), column[2])
    if dtype.kind not in _KINDS or kept.kind not in _KINDS:
        raise ValueError(f"a column of {column[0]}, {column[1]}")
    return np.frombuffer(data, dtype=kept).astype(dtype)
