"""The document of a trace as the text that stands in its metadata, and back.

The text has no backslash, which Kineto would not carry: strings are percent-encoded, and numbers
that JSON lacks are words behind a percent sign. Field names are those of the records; a field at
its default is left out.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from functools import lru_cache
from typing import Any, TypeVar

from genscope.schema.records import VERSION, Component, Document, Module, Site, Workload
from genscope.schema.text import decode, encode

R = TypeVar("R", Component, Module, Site, Workload)
T = TypeVar("T", Component, Module, Site)

Reader = Callable[[object, str], Any]
"""Takes a JSON value and where it stands; returns the value of a field or raises SchemaError."""

Readers = Mapping[str, Reader]

_UNNUMBERED = {"%NaN": math.nan, "%Infinity": math.inf, "%-Infinity": -math.inf}
"""What JSON has no number for. No encoded text looks like these: % stands before two digits."""

_MOST = 2**63
"""Whole numbers at and beyond this do not fit the columns of a reader."""


class SchemaError(ValueError):
    """A document that cannot be used; the message says what is wrong with it."""


# Writing ----------------------------------------------------------------------------------------


def dumps(document: Document) -> str:
    """Return the document as JSON text without a backslash, which `loads` takes.

    Values of another type than their field's are written as text where the field is text, and
    left out elsewhere: users and models put anything into a workload.
    """
    text = {
        **_written(_DOCUMENT, document),
        "workload": _written(_FIELDS[Workload], document.workload),
        "components": [_written(_FIELDS[Component], part) for part in document.components],
        "modules": [_row(part) for part in document.modules],
        "sites": [_row(part) for part in document.sites],
        "version": document.version,
    }
    return json.dumps(text, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


_Row = Module | Site


def _row(record: _Row) -> dict[str, Any]:
    """The fields of a row, kept: a document is written again whenever one is added to it."""
    values = _VALUES[type(record)](record)
    try:
        # By type as well: 1 and True are equal, and are not written alike.
        return _kept(type(record).__name__, values, tuple(map(type, values)))
    except TypeError:  # a value that cannot be a key
        return _written(_FIELDS[type(record)], record)


@lru_cache(maxsize=1 << 16)
def _kept(name: str, values: tuple[Any, ...], _: tuple[type, ...]) -> dict[str, Any]:
    kind: type[_Row] = Module if name == Module.__name__ else Site
    return _written(_FIELDS[kind], kind(*values))


def _written(known: Readers, record: Any) -> dict[str, Any]:
    """The fields of a record that are not at their default."""
    found = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name not in known or value is None or _is_default(field, value):
            continue
        for plain in (_plain(value), encode(_as_text(value))):
            try:
                known[field.name](plain, field.name)
            except SchemaError:
                continue
            found[field.name] = plain
            break
    return found


def _is_default(field: Field[Any], value: object) -> bool:
    factory = field.default_factory
    return value is (field.default if factory is MISSING else None) or value == {} or value == ()


def _plain(value: object) -> Any:
    """The value as JSON has it."""
    if isinstance(value, Mapping):
        return {
            encode(_as_text(key)): _plain_scalar(part)
            for key, part in value.items()
            if part is not None
        }
    if isinstance(value, list | tuple):
        return [_plain_scalar(part) for part in value]
    return _plain_scalar(value)


def _plain_scalar(value: object) -> str | int | float | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return encode(value)
    if isinstance(value, float):
        number = float(value)
        if math.isfinite(number):
            return number
        return "%NaN" if math.isnan(number) else "%Infinity" if number > 0 else "%-Infinity"
    try:
        whole = operator.index(value)  # type: ignore[arg-type] # asked, not known
    except Exception:
        return encode(_as_text(value))
    return whole if -_MOST < whole < _MOST else f"{whole:#x}"


def _as_text(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return type(value).__name__


# Reading ----------------------------------------------------------------------------------------


def loads(obj: object) -> Document:
    """Return the document in `obj`: its text, or the JSON value that the text stood for.

    Unknown fields are skipped. A document of a newer version is read as far as it is understood.
    Raises SchemaError where it is none.
    """
    if isinstance(obj, str):
        try:
            obj = json.loads(obj)
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"the text is no JSON: {error}") from error
    found = _mapping(obj, "the document")
    version = _whole(found.get("version", VERSION), "version")
    strict = version <= VERSION
    return Document(
        workload=_of(Workload, found.get("workload", {}), "workload", strict),
        components=_table(Component, found.get("components", []), "components", strict),
        modules=_table(Module, found.get("modules", []), "modules", strict),
        sites=_table(Site, found.get("sites", []), "sites", strict),
        version=version,
        **_values(_DOCUMENT, found, "", strict),
    )


def _table(kind: type[T], obj: object, where: str, strict: bool) -> tuple[T, ...]:
    """The records of a table; of a newer version only those that are understood."""
    records = []
    ids = set()
    for place, part in enumerate(_listed(obj, where)):
        try:
            record = _of(kind, part, f"{where}[{place}]", strict)
            if record.id in ids:
                raise SchemaError(f"{where}[{place}] has the id of another")
        except SchemaError:
            if strict:
                raise
            continue
        ids.add(record.id)
        records.append(record)
    return tuple(records)


def _of(kind: type[R], obj: object, where: str, strict: bool) -> R:
    found = _mapping(obj, where)
    try:
        return kind(**_values(_FIELDS[kind], found, f"{where}.", strict))
    except TypeError as error:
        missing = [field.name for field in fields(kind) if field.name not in found]
        raise SchemaError(f"{where} lacks one of {', '.join(missing)}") from error


def _values(
    known: Readers,
    found: Mapping[str, Any],
    where: str,
    strict: bool,
) -> dict[str, Any]:
    """The known fields among `found`, each by its reader; bad ones of a newer version are left."""
    values = {}
    for name, read in known.items():
        if name in found:
            try:
                values[name] = read(found[name], where + name)
            except SchemaError:
                if strict:
                    raise
    return values


def _mapping(obj: object, where: str) -> Mapping[str, Any]:
    if not isinstance(obj, dict):
        raise SchemaError(f"{where} is {_kind(obj)} and should be an object")
    return obj


def _listed(obj: object, where: str) -> list[Any]:
    if not isinstance(obj, list):
        raise SchemaError(f"{where} is {_kind(obj)} and should be a list")
    return obj


def _whole(obj: object, where: str) -> int:
    if not isinstance(obj, int) or isinstance(obj, bool):
        raise SchemaError(f"{where} is {_kind(obj)} and should be a whole number")
    if not -_MOST < obj < _MOST:
        raise SchemaError(f"{where} is too large a number")
    return obj


def _count(obj: object, where: str) -> int:
    number = _whole(obj, where)
    if number < 0:
        raise SchemaError(f"{where} is below 0")
    return number


def _text(obj: object, where: str) -> str:
    if not isinstance(obj, str):
        raise SchemaError(f"{where} is {_kind(obj)} and should be text")
    return decode(obj)


def _truth(obj: object, where: str) -> bool:
    if not isinstance(obj, bool):
        raise SchemaError(f"{where} is {_kind(obj)} and should be true or false")
    return obj


def _size(obj: object, where: str) -> tuple[int, int]:
    parts = _listed(obj, where)
    if len(parts) != 2:
        raise SchemaError(f"{where} has {len(parts)} numbers and should have 2")
    return _count(parts[0], where), _count(parts[1], where)


def _scalar(obj: object, where: str) -> str | int | float | bool:
    if isinstance(obj, str):
        return _UNNUMBERED.get(obj, decode(obj))
    if isinstance(obj, bool):
        return obj
    return float(obj) if isinstance(obj, float) else _whole(obj, where)


def _named(read: Reader) -> Reader:
    def each(obj: object, where: str) -> dict[str, Any]:
        members = _mapping(obj, where).items()
        return {decode(key): read(part, f"{where}.{key[:40]}") for key, part in members}

    return each


def _texts(obj: object, where: str) -> tuple[str, ...]:
    return tuple(_text(part, where) for part in _listed(obj, where))


def _kind(obj: object) -> str:
    return "null" if obj is None else f"a {type(obj).__name__}"


_BY_TYPE: dict[str, Reader] = {
    "str": _text,
    "int": _count,
    "bool": _truth,
    "tuple[int, int]": _size,
    "tuple[str, ...]": _texts,
    "dict[str, str]": _named(_text),
    "dict[str, str | int | float | bool]": _named(_scalar),
}
"""What reads a field of a record, by the type that it is declared with."""


def _readers(declared: Iterable[Field[Any]]) -> dict[str, Reader]:
    return {field.name: _reader(str(field.type)) for field in declared}


def _reader(declared: str) -> Reader:
    read = _BY_TYPE[declared.removesuffix(" | None")]
    if not declared.endswith(" | None"):
        return read
    return lambda obj, where: None if obj is None else read(obj, where)


_FIELDS: dict[type, dict[str, Reader]] = {
    kind: _readers(fields(kind)) for kind in (Component, Module, Site, Workload)
}
_DOCUMENT = _readers(
    field
    for field in fields(Document)
    if field.name not in ("workload", "components", "modules", "sites", "version")
)

_VALUES: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    kind: operator.attrgetter(*(field.name for field in fields(kind))) for kind in (Module, Site)
}
