"""Debug annotations: those that a `Trace` keeps as columns, and whole sets of them as values."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np

from genscope.trace.convert import integers
from genscope.trace.decode import DECODE_ERRORS, Scalar
from genscope.trace.model import NONE, Bool, Int32, Int64, UInt8
from genscope.trace.native.fields import Annotation, Nested
from genscope.trace.native.state import Table
from genscope.trace.native.wire import BYTES, FIXED64, VARINT, UInt64, fields, first_fields, split

KEPT: dict[bytes, str] = {
    b"correlation": "correlation",
    b"External id": "external_id",
    b"external id": "external_id",
    b"Sequence number": "sequence",
    b"Fwd thread id": "forward_thread",
    b"device": "device",
    b"Input Dims": "dims",
    b"Input dims": "dims",
    b"Input type": "types",
    b"Concrete Inputs": "inputs",
}
"""Annotations that become columns."""

COLUMNS = tuple(dict.fromkeys(KEPT.values()))
TEXTS = frozenset({"dims", "types", "inputs"})
"""Columns of JSON text; the others are numbers."""

_NUMBERS = (Annotation.BOOL, Annotation.UINT, Annotation.INT, Annotation.POINTER)
_NESTED = (Annotation.NESTED, Annotation.DICT, Annotation.ARRAY)
_VALUES = (*_NUMBERS, Annotation.DOUBLE, Annotation.STRING, Annotation.JSON, Annotation.STRING_IID)
_DEEPEST = 64
_JSON_BEGINS = frozenset(b'[{"-0123456789')


class _Found(NamedTuple):
    """Annotations whose name is known, in columns of shape (k,)."""

    which: Int64
    """Which of the annotations that were asked about."""
    column: Int64
    number: Int64
    value: UInt64
    at: Int64

    def where(self, rows: Int64) -> _Found:
        """Return those of `rows`."""
        return _Found(
            self.which[rows], self.column[rows], self.number[rows], self.value[rows], self.at[rows]
        )


class Arguments:
    """Reads debug annotations. `intern` gives the index of a text in `Trace.strings`."""

    def __init__(self, intern: Callable[[bytes], int]) -> None:
        self.names = Table(self._name)
        self.strings = Table(self._string)
        self._intern = intern
        self._name_list: list[bytes] = []
        self._name_index: dict[bytes, int] = {}
        self._columns: list[int] = []
        self._values: list[bytes] = []
        self._texts: dict[int, int] = {}
        self._built: dict[tuple[int, bytes], int] = {}

    def _name(self, text: bytes) -> int:
        index = self._name_index.get(text)
        if index is None:
            index = self._name_index[text] = len(self._name_list)
            self._name_list.append(text)
            kept = KEPT.get(text)
            self._columns.append(NONE if kept is None else COLUMNS.index(kept))
        return index

    def _string(self, text: bytes) -> int:
        self._values.append(text)
        return len(self._values) - 1

    def forget(self, scope: int) -> None:
        """Drop what belongs to a scope that ended."""
        self.names.forget(scope)
        self.strings.forget(scope)

    # Columns --------------------------------------------------------------------------------

    def columns(
        self, data: UInt8, rows: Int64, at: Int64, stop: Int64, scopes: Int64
    ) -> dict[str, tuple[Int64, Int64 | Int32]]:
        """Return rows and values of each column that any annotation has something for.

        The annotations, from `at` to `stop`, are those of `rows`; all have shape (k,).
        """
        found = self._kept(data, at, stop, scopes)
        out: dict[str, tuple[Int64, Int64 | Int32]] = {}
        for place, name in enumerate(COLUMNS):
            mine = np.flatnonzero(found.column == place)
            if not len(mine):
                continue
            part = found.where(mine)
            values: Int64 | Int32
            if name in TEXTS:
                values = self._text_column(data, part, at, stop, scopes)
            else:
                values = self._number_column(data, part, at, stop, scopes)
            out[name] = rows[part.which], values
        return out

    def _kept(self, data: UInt8, at: Int64, stop: Int64, scopes: Int64) -> _Found:
        """Find the annotations that are kept: most writers put the name first, then the value."""
        first, after = first_fields(data, at, stop)
        by_iid = (first.number == Annotation.NAME_IID) & (first.wire == VARINT)
        by_name = (first.number == Annotation.NAME) & (first.wire == BYTES)
        column = np.full(len(at), NONE, dtype=np.int64)
        known = np.flatnonzero(by_iid)
        column[known] = self._column_of(self.names.get(scopes[known], first.value[known]))
        for index in np.flatnonzero(by_name).tolist():
            begin = int(first.at[index])
            text = data[begin : begin + int(first.value[index])].tobytes()
            column[index] = self._columns[self._name(text)] if text in KEPT else NONE
        wanted = np.flatnonzero(column >= 0)
        value, _ = first_fields(data, after[wanted], stop[wanted])
        simple = self._is_value(value.number, value.wire)
        easy = _Found(
            wanted[simple], column[wanted[simple]], value.number[simple], value.value[simple],
            value.at[simple],
        )  # fmt: skip
        rest = np.concatenate([wanted[~simple], np.flatnonzero(~by_iid & ~by_name)])
        if not len(rest):
            return easy
        hard = self._any_order(data, rest, at[rest], stop[rest], scopes[rest])
        return _Found(
            np.concatenate([easy.which, hard.which]),
            np.concatenate([easy.column, hard.column]),
            np.concatenate([easy.number, hard.number]),
            np.concatenate([easy.value, hard.value]),
            np.concatenate([easy.at, hard.at]),
        )

    def _any_order(
        self, data: UInt8, which: Int64, at: Int64, stop: Int64, scopes: Int64
    ) -> _Found:
        inner, _ = fields(data, at, stop)
        column = np.full(len(at), NONE, dtype=np.int64)
        iids = inner.of(Annotation.NAME_IID, VARINT)
        column[iids.owner] = self._column_of(self.names.get(scopes[iids.owner], iids.value))
        named = inner.of(Annotation.NAME, BYTES)
        for owner, begin, end in zip(
            named.owner.tolist(), named.at.tolist(), named.stop.tolist(), strict=True
        ):
            text = data[begin:end].tobytes()
            if text in KEPT:
                column[owner] = self._columns[self._name(text)]
        values = inner.where(
            self._is_value(inner.number, inner.wire)
            | ((inner.wire == BYTES) & np.isin(inner.number, _NESTED))
        )
        last = {owner: place for place, owner in enumerate(values.owner.tolist())}
        places = np.array(list(last.values()), dtype=np.int64)
        values = values.where(np.isin(np.arange(len(values.owner)), places))
        values = values.where(column[values.owner] >= 0)
        return _Found(
            which[values.owner], column[values.owner], values.number, values.value, values.at
        )

    @staticmethod
    def _is_value(number: Int64, wire: UInt8) -> Bool:
        varint = np.isin(number, (*_NUMBERS, Annotation.STRING_IID)) & (wire == VARINT)
        text = np.isin(number, (Annotation.STRING, Annotation.JSON)) & (wire == BYTES)
        found: Bool = varint | text | ((number == Annotation.DOUBLE) & (wire == FIXED64))
        return found

    def _column_of(self, names: Int32) -> Int64:
        table = np.array([*self._columns, NONE], dtype=np.int64)
        return table[names]

    def _number_column(
        self, data: UInt8, found: _Found, at: Int64, stop: Int64, scopes: Int64
    ) -> Int64:
        values: Int64 = found.value.view(np.int64).copy()
        doubles = found.number == Annotation.DOUBLE
        if doubles.any():
            numbers: list[Scalar] = found.value[doubles].view(np.float64).tolist()
            values[doubles] = integers(numbers, np.int64)
        for place in np.flatnonzero(~doubles & ~np.isin(found.number, _NUMBERS)).tolist():
            text = self._json(data, found, place, at, stop, scopes).strip(b'" ')
            values[place] = integers([text.decode("utf-8", "replace")], np.int64)[0]
        return values

    def _text_column(
        self, data: UInt8, found: _Found, at: Int64, stop: Int64, scopes: Int64
    ) -> Int32:
        values = np.full(len(found.which), NONE, dtype=np.int32)
        interned = np.flatnonzero(found.number == Annotation.STRING_IID)
        if len(interned):
            which = self.strings.get(scopes[found.which[interned]], found.value[interned])
            known, place = np.unique(which, return_inverse=True)
            texts = [NONE if one < 0 else self._interned(one) for one in known.tolist()]
            values[interned] = np.array(texts, dtype=np.int32)[place]
        for row in np.flatnonzero(found.number != Annotation.STRING_IID).tolist():
            values[row] = self._intern(self._json(data, found, row, at, stop, scopes))
        return values

    def _interned(self, index: int) -> int:
        text = self._texts.get(index)
        if text is None:
            text = self._texts[index] = self._intern(_as_json(self._values[index]))
        return text

    def _json(
        self, data: UInt8, found: _Found, place: int, at: Int64, stop: Int64, scopes: Int64
    ) -> bytes:
        """Return one value as JSON text."""
        number, value = int(found.number[place]), int(found.value[place])
        index, begin = int(found.which[place]), int(found.at[place])
        if number == Annotation.STRING_IID:
            which = int(self.strings.get(scopes[index : index + 1], found.value[[place]])[0])
            return b"null" if which < 0 else _as_json(self._values[which])
        if number in (Annotation.STRING, Annotation.JSON):
            text = data[begin : begin + value].tobytes()
            return _as_json(text) if number == Annotation.STRING else text
        whole = data[int(at[index]) : int(stop[index])].tobytes()
        return msgspec.json.encode(self._value(whole, int(scopes[index]), 0)[1])

    # Values ---------------------------------------------------------------------------------

    def values(self, annotations: list[bytes], scope: int) -> dict[str, Any]:
        """Return annotations by name, as values; JSON text stands for what it says."""
        found: dict[str, Any] = {}
        for text in annotations:
            name, value = self._value(text, scope, 0)
            found[name] = value
        return found

    def _value(self, text: bytes, scope: int, depth: int) -> tuple[str, Any]:
        name, value = "", None
        entries: dict[str, Any] = {}
        items: list[Any] = []
        nested = 0
        for number, wire, one, at in split(text, 0, len(text)):
            inner = text[at : at + one] if wire == BYTES else b""
            if number == Annotation.NAME:
                name = inner.decode("utf-8", "replace")
            elif number == Annotation.NAME_IID:
                name = self._looked_up(self.names, self._name_list, scope, one)
            elif number in (Annotation.DICT, Annotation.ARRAY):
                nested = number
                if depth < _DEEPEST:
                    key, item = self._value(inner, scope, depth + 1)
                    entries[key] = item
                    items.append(item)
            elif number == Annotation.NESTED:
                value = _nested(inner, depth)
            elif number == Annotation.STRING_IID:
                text_value = self._looked_up(self.strings, self._values, scope, one)
                value = _parsed(text_value.encode())
            elif number in _VALUES:
                value = _plain(number, wire, one, inner)
        if nested:
            value = entries if nested == Annotation.DICT else items
        return name, value

    def _looked_up(self, table: Table, texts: list[bytes], scope: int, iid: int) -> str:
        key = np.array([scope], dtype=np.int64)
        index = int(table.get(key, np.array([iid], dtype=np.uint64))[0])
        return "" if index < 0 else texts[index].decode("utf-8", "replace")


def _plain(number: int, wire: int, value: int, text: bytes) -> Any:
    if number == Annotation.BOOL:
        return bool(value)
    if number == Annotation.INT:
        return value - (1 << 64) if value >> 63 else value
    if number == Annotation.DOUBLE and wire == FIXED64:
        return struct.unpack("<d", value.to_bytes(8, "little"))[0]
    if number in (Annotation.STRING, Annotation.JSON):
        return _parsed(text)
    return value


def _nested(text: bytes, depth: int) -> Any:
    keys: list[str] = []
    values: list[Any] = []
    items: list[Any] = []
    kind, plain = 0, None
    for number, wire, one, at in split(text, 0, len(text)):
        inner = text[at : at + one] if wire == BYTES else b""
        if number == Nested.TYPE:
            kind = one
        elif number == Nested.KEYS:
            keys.append(inner.decode("utf-8", "replace"))
        elif number in (Nested.DICT_VALUES, Nested.ARRAY):
            if depth < _DEEPEST:
                (values if number == Nested.DICT_VALUES else items).append(
                    _nested(inner, depth + 1)
                )
        elif number == Nested.STRING:
            plain = inner.decode("utf-8", "replace")
        else:
            same = {Nested.INT: Annotation.INT, Nested.DOUBLE: Annotation.DOUBLE}
            plain = _plain(same.get(number, Annotation.BOOL), wire, one, b"")
    if kind == 1:
        return dict(zip(keys, values, strict=False))
    return items if kind == 2 else plain


def _parsed(text: bytes) -> Any:
    """Return what a text stands for: the value, if it is JSON text as exports write it."""
    if text[:1] and (text[0] in _JSON_BEGINS or text == b"null"):
        try:
            return msgspec.json.decode(text)
        except DECODE_ERRORS:
            pass
    return text.decode("utf-8", "replace")


def _as_json(text: bytes) -> bytes:
    """Return a text as JSON: as it is if it is JSON text already, else in quotes."""
    if text[:1] and (text[0] in _JSON_BEGINS or text == b"null"):
        try:
            msgspec.json.decode(text, type=msgspec.Raw)
            return text
        except DECODE_ERRORS:
            pass
    return msgspec.json.encode(text.decode("utf-8", "replace"))
