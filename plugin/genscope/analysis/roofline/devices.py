"""The rates of devices: a table that comes with the package, and those of a file of the user's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

import msgspec

from genscope.trace.errors import TraceError
from genscope.trace.model import Device

MATRIX_ELSE = {"float16": "float32", "bfloat16": "float32", "float8": "float16"}
"""Where a device has no matrix rate for a dtype, the one it is computed in."""


class DeviceRates(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Peak rates of a device: FLOP/s by dtype, without sparsity; `bandwidth` in bytes/s.

    `match` is a regular expression for the name in a trace, `properties` are those in a trace that
    has no name. `source` says whose rates they are, `checked` where they were found again.
    `memory` is in bytes, None where it is not told.
    """

    name: str
    source: str
    bandwidth: float
    matrix: dict[str, float]
    vector: dict[str, float]
    memory: float | None = None
    match: str = ""
    checked: str = ""
    properties: dict[str, int] = {}

    def matrix_rate(self, dtype: str | None, *, tf32: bool = False) -> float | None:
        """FLOP/s of matrix units; None where the device has none for the dtype.

        `tf32`: float32 operands are rounded to tf32.
        """
        if tf32 and dtype == "float32" and "tf32" in self.matrix:
            return self.matrix["tf32"]
        while dtype is not None and dtype not in self.matrix:
            dtype = MATRIX_ELSE.get(dtype)
        return None if dtype is None else self.matrix[dtype]

    def vector_rate(self, dtype: str | None) -> float | None:
        """FLOP/s of the other units, which take narrow dtypes as float32."""
        return self.vector.get("float64" if dtype == "float64" else "float32")

    @property
    def peak(self) -> float:
        """The highest rate for 16 bits, or for float32 where it has none: the roof in charts."""
        found = [self.matrix_rate(dtype) for dtype in ("bfloat16", "float16", "float32")]
        return next((rate for rate in found if rate), max(self.matrix.values(), default=0.0))


class _File(msgspec.Struct):
    device: list[DeviceRates]


def read_devices(text: bytes, origin: str) -> list[DeviceRates]:
    """Read a table of devices in TOML; `origin` names it. Raises `TraceError` if it is none."""
    try:
        found = msgspec.toml.decode(text, type=_File).device
        for one in found:
            re.compile(one.match)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise TraceError(f"{origin}: no table of devices: {error}") from error
    except re.error as error:
        raise TraceError(f"{origin}: {error.pattern!r} is no pattern: {error}") from error
    for one in found:
        rates = [one.bandwidth, *one.matrix.values(), *one.vector.values(), one.memory or 1.0]
        if not all(0 < rate < float("inf") for rate in rates):
            raise TraceError(f"{origin}: {one.name}: rates are numbers above 0")
    return found


@cache
def known_devices() -> tuple[DeviceRates, ...]:
    """The devices that come with the package."""
    text = resources.files(__package__).joinpath("devices.toml").read_bytes()
    return tuple(read_devices(text, "devices.toml"))


def named(name: str, more: Sequence[DeviceRates] = ()) -> DeviceRates | None:
    """The device of this name, or the one that a trace would mean by it, or that has it as a part.

    So `h100` is the usual one, not the first of those whose names begin so.
    """
    devices = [*more, *known_devices()]
    text = name.casefold()
    for one in devices:
        if one.name.casefold() == text:
            return one
    for one in devices:
        if _matches(one, name):
            return one
    for one in devices:
        if text in one.name.casefold().replace(" ", "") or text in one.name.casefold():
            return one
    return None


def of_trace(devices: Iterable[Device], more: Sequence[DeviceRates] = ()) -> DeviceRates | None:
    """The rates of the device of a trace, by its name, else by its properties."""
    for device in devices:
        for one in (*more, *known_devices()):
            if device.name:
                if _matches(one, device.name):
                    return one
            elif one.properties and _has(device.properties, one.properties):
                return one
    return None


def _matches(rates: DeviceRates, name: str) -> bool:
    text = name[:200]
    return bool(rates.match and re.search(rates.match, text, re.IGNORECASE))


def _has(properties: Mapping[str, object], wanted: Mapping[str, int]) -> bool:
    return all(properties.get(name) == value for name, value in wanted.items())
