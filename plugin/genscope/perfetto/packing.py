"""Millions of packets, a batch at a time: the events of a trace as numpy columns to protobuf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genscope.perfetto.ragged import (
    UInt64,
    offsets,
    put,
    put_fixed64,
    put_varints,
    spread,
    varint_lengths,
)
from genscope.perfetto.wire import BYTES, FIXED64, NEEDED, SEQUENCE, Event, Packet, tag, varint
from genscope.trace.model import Bool, Int64, UInt8

_PACKET = tag(1, BYTES)
_TIMESTAMP = tag(Packet.TIMESTAMP, 0)
_SEQUENCE = tag(Packet.SEQUENCE, 0)
_FLAGS = tag(Packet.FLAGS, 0) + varint(NEEDED)
_EVENT = tag(Packet.TRACK_EVENT, BYTES)
_TYPE, _TRACK, _NAME, _CATEGORY, _VALUE, _DOUBLE, _FLOW, _LAST_FLOW = (
    tag(Event.TYPE, 0),
    tag(Event.TRACK, 0),
    tag(Event.NAME, 0),
    tag(Event.CATEGORY, 0),
    tag(Event.COUNTER, 0),
    tag(Event.DOUBLE_COUNTER, FIXED64),
    tag(Event.FLOW, FIXED64),
    tag(Event.LAST_FLOW, FIXED64),
)

NO_TEXT = 0
"""Interned id that stands for none."""


@dataclass(slots=True)
class Batch:
    """Packets in order of time; arrays have shape (k,) unless said otherwise.

    `annotations` holds the encoded arguments of all packets one behind the other, `length` bytes
    of each. `flow_row`, shape (f,) and sorted, has the place of the packet that a flow is of.
    """

    delta_ns: UInt64
    type: UInt8
    track: UInt64
    name: UInt64
    """Interned ids, 0 for none, as `category`."""
    category: UInt64
    annotations: UInt8
    length: Int64
    flow_row: Int64
    flow: UInt64
    flow_ends: Bool
    """The other end of the flow was before."""
    value: UInt64
    """Of a counter: its value, or the bits of it as a float64."""
    is_double: Bool


def pack(batch: Batch, sequence: int = SEQUENCE) -> npt.NDArray[np.uint8]:
    """Encode the packets of a batch, for the sequence of that number."""
    own = _SEQUENCE + varint(sequence)
    count = len(batch.type)
    ends = batch.type == Event.END
    counts = batch.type == Event.COUNTS
    named = (batch.name != NO_TEXT) & ~ends & ~counts
    classed = (batch.category != NO_TEXT) & ~ends & ~counts
    whole = counts & ~batch.is_double
    precise = counts & batch.is_double
    flows = np.bincount(batch.flow_row, minlength=count).astype(np.int64)

    size_track = varint_lengths(batch.track)
    size_name = varint_lengths(batch.name)
    size_category = varint_lengths(batch.category)
    size_value = varint_lengths(batch.value)
    size_flow = len(_FLOW) + 8
    inside = len(_TYPE) + 1 + len(_TRACK) + size_track
    inside = inside + named * (len(_NAME) + size_name)
    inside += classed * (len(_CATEGORY) + size_category)
    inside += whole * (len(_VALUE) + size_value)
    inside += precise * (len(_DOUBLE) + 8)
    inside += flows * size_flow + batch.length

    size_delta = varint_lengths(batch.delta_ns)
    size_inside = varint_lengths(inside.view(np.uint64))
    body = len(_TIMESTAMP) + size_delta + len(own) + (~ends) * len(_FLAGS)
    body += len(_EVENT) + size_inside + inside
    size_body = varint_lengths(body.view(np.uint64))
    total = len(_PACKET) + size_body + body

    out = np.empty(int(total.sum()), dtype=np.uint8)
    at = offsets(total)

    def step(constant: bytes) -> None:
        nonlocal at
        put(out, at, constant)
        at = at + len(constant)

    def numbers(values: UInt64, sizes: Int64) -> None:
        nonlocal at
        put_varints(out, at, values, sizes)
        at = at + sizes

    def field(mask: Bool, constant: bytes, values: UInt64, sizes: Int64) -> None:
        put(out, at[mask], constant)
        put_varints(out, at[mask] + len(constant), values[mask], sizes[mask])
        at[mask] += len(constant) + sizes[mask]

    step(_PACKET)
    numbers(body.view(np.uint64), size_body)
    step(_TIMESTAMP)
    numbers(batch.delta_ns, size_delta)
    step(own)
    put(out, at[~ends], _FLAGS)
    at = at + (~ends) * len(_FLAGS)
    step(_EVENT)
    numbers(inside.view(np.uint64), size_inside)
    step(_TYPE)
    out[at] = batch.type
    at = at + 1
    step(_TRACK)
    numbers(batch.track, size_track)
    field(named, _NAME, batch.name, size_name)
    field(classed, _CATEGORY, batch.category, size_category)
    field(whole, _VALUE, batch.value, size_value)
    put(out, at[precise], _DOUBLE)
    put_fixed64(out, at[precise] + len(_DOUBLE), batch.value[precise])
    at = at + precise * (len(_DOUBLE) + 8)
    if len(batch.flow):
        # The flows of a packet stand one behind the other.
        order = np.arange(len(batch.flow)) - offsets(flows)[batch.flow_row]
        place = at[batch.flow_row] + order * size_flow
        put(out, place[~batch.flow_ends], _FLOW)
        put(out, place[batch.flow_ends], _LAST_FLOW)
        put_fixed64(out, place + len(_FLOW), batch.flow)
        at = at + flows * size_flow
    out[spread(at, batch.length)] = batch.annotations
    return out


# Arguments --------------------------------------------------------------------------------------

INTEGER, FLOAT, TRUTH, TEXT = range(4)
"""What an argument is: its bits are those of an int64, of a float64, 0 or 1, or an interned id."""

_ANNOTATION = tag(Event.ANNOTATION, BYTES)
_ARGUMENT = tag(1, 0)
_VALUE_TAGS = {INTEGER: tag(4, 0), FLOAT: tag(5, FIXED64), TRUTH: tag(2, 0), TEXT: tag(17, 0)}
_NOTHING = np.uint64(0)
_TAG_SIZES = np.array([len(_VALUE_TAGS[kind]) for kind in range(4)], dtype=np.int64)


def annotate(name: UInt64, kind: UInt8, bits: UInt64) -> tuple[UInt8, Int64]:
    """Encode arguments, one a row of shape (k,); their bytes in order, and the length of each."""
    size_name = varint_lengths(name)
    size_bits = np.where(kind == FLOAT, 8, varint_lengths(np.where(kind == FLOAT, _NOTHING, bits)))
    body = len(_ARGUMENT) + size_name + _TAG_SIZES[kind] + size_bits
    # No body is longer than 127 bytes, so its length takes one.
    total = len(_ANNOTATION) + 1 + body
    out = np.empty(int(total.sum()), dtype=np.uint8)
    at = offsets(total)
    put(out, at, _ANNOTATION)
    at = at + len(_ANNOTATION)
    out[at] = body
    at = at + 1
    put(out, at, _ARGUMENT)
    at = at + len(_ARGUMENT)
    put_varints(out, at, name, size_name)
    at = at + size_name
    for one, constant in _VALUE_TAGS.items():
        mask = kind == one
        if not mask.any():
            continue
        where = at[mask]
        put(out, where, constant)
        where = where + len(constant)
        if one == FLOAT:
            put_fixed64(out, where, bits[mask])
        else:
            put_varints(out, where, bits[mask], size_bits[mask])
    return out, total
