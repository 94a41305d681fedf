"""Typed decoding of trace events: only the fields that an analysis needs are ever built."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType, field

Scalar: TypeAlias = "int | float | str | bool | None"

DECODE_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
"""What decoding hostile text can raise."""

_MOST_DIGITS = 16

FLOAT_EXACT_US = float(2**43)
"""Microseconds below which a float64 still tells nanoseconds apart (its step is 2**-10 µs)."""


class Args(msgspec.Struct, gc=False):
    """The arguments that are kept, by today's names and by those of 2021."""

    correlation: Scalar = None
    external_id: Scalar = field(default=None, name="External id")
    external_id_2021: Scalar = field(default=None, name="external id")
    sequence: Scalar = field(default=None, name="Sequence number")
    forward_thread: Scalar = field(default=None, name="Fwd thread id")
    device: Scalar = None
    dims: Raw | UnsetType = field(default=UNSET, name="Input Dims")
    dims_2021: Raw | UnsetType = field(default=UNSET, name="Input dims")
    types: Raw | UnsetType = field(default=UNSET, name="Input type")
    inputs: Raw | UnsetType = field(default=UNSET, name="Concrete Inputs")
    name: Scalar = None
    """Of a metadata event: the name of its process or thread."""
    bytes: Scalar = field(default=None, name="Bytes")
    """This and what follows: of an allocation."""
    address: Scalar = field(default=None, name="Addr")
    allocated: Scalar = field(default=None, name="Total Allocated")
    reserved: Scalar = field(default=None, name="Total Reserved")
    device_type: Scalar = field(default=None, name="Device Type")
    device_id: Scalar = field(default=None, name="Device Id")


NO_ARGS = Args()


class Event(msgspec.Struct, gc=False):
    """One event, its times as float64 microseconds."""

    ph: str = ""
    cat: str | None = None
    name: str | None = None
    pid: Scalar = None
    tid: Scalar = None
    ts: float | str | None = None
    dur: float | str | None = None
    id: Scalar = None
    args: Args | None = None


class ExactEvent(msgspec.Struct, gc=False):
    """The same with the text of its start, for times that float64 would round."""

    ph: str = ""
    cat: str | None = None
    name: str | None = None
    pid: Scalar = None
    tid: Scalar = None
    ts: Raw | UnsetType = UNSET
    dur: float | str | None = None
    id: Scalar = None
    args: Args | None = None


AnyEvent: TypeAlias = "Event | ExactEvent"

decode_events = msgspec.json.Decoder(list[Event]).decode
decode_exact = msgspec.json.Decoder(list[ExactEvent]).decode
decode_one = msgspec.json.Decoder(ExactEvent).decode


def lenient(text: bytes) -> ExactEvent:
    """Decode one event whose fields may have any type; what makes no sense becomes None.

    Raises one of DECODE_ERRORS where `text` is no JSON object.
    """
    raw = msgspec.json.decode(text, type=dict[str, Raw])
    event = ExactEvent()
    for name in ("ph", "cat", "name"):
        value = _scalar(raw.get(name))
        setattr(event, name, None if value is None else str(value))
    event.ph = event.ph or ""
    for name in ("pid", "tid", "id"):
        setattr(event, name, _scalar(raw.get(name)))
    event.ts = raw.get("ts", UNSET)
    duration = _scalar(raw.get("dur"))
    event.dur = duration if isinstance(duration, str) else _as_float(duration)
    if "args" in raw:
        try:
            event.args = msgspec.json.decode(raw["args"], type=Args)
        except DECODE_ERRORS:
            event.args = _lenient_args(raw["args"])
    return event


def _lenient_args(text: Raw) -> Args | None:
    try:
        members = msgspec.json.decode(text, type=dict[str, Raw])
    except DECODE_ERRORS:
        return None
    args = Args()
    for spec in msgspec.structs.fields(Args):
        if spec.encode_name in members:
            value: Any = members[spec.encode_name]
            setattr(args, spec.name, value if spec.default is UNSET else _scalar(value))
    return args


def _scalar(text: Raw | None) -> Scalar:
    if text is None:
        return None
    try:
        value: Any = msgspec.json.decode(text)
    except DECODE_ERRORS:
        return None
    return value if isinstance(value, int | float | str) else None


def _as_float(value: Scalar) -> float | None:
    try:
        return None if value is None else float(value)
    except (ValueError, OverflowError):
        return None


def exact_ns(text: bytes) -> int | None:
    """Parse microseconds as JSON text (a number, or one in quotes) to whole nanoseconds."""
    text = text.strip().strip(b'"').strip()
    whole, _, part = text.partition(b".")
    if len(part) <= 3 and part.isdigit() and whole.isdigit() and len(whole) < 19:
        return int(whole) * 1000 + int(part.ljust(3, b"0"))
    if not part and whole.isdigit() and len(whole) < 19:
        return int(whole) * 1000
    try:
        value = Decimal(text.decode("ascii"))
        # A huge exponent is asked about before anything is computed with it.
        if not value.is_finite() or value.adjusted() > _MOST_DIGITS:
            return None
        return int((value * 1000).to_integral_value())
    except (ArithmeticError, UnicodeDecodeError, ValueError):
        return None
