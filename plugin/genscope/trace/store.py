"""A `Trace` as one file that is mapped into memory instead of read.

The file has a header of fixed size, the columns as little-endian arrays, the strings as a JSON
list and a manifest that says where everything is. Nothing in it is executed: arrays are raw
numbers and the rest is JSON of fixed types. A checksum covers all that follows the header, so
that a damaged file is told from a good one.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import struct
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from genscope.trace.document import document_of
from genscope.trace.errors import TraceWarning
from genscope.trace.model import Device, Events, Links, MemoryEvents, Trace, Track

FORMAT_VERSION = 3
"""Raised whenever the layout of the file or the meaning of a column changes."""

TEMPORARY = ".partial"
"""How the names of files end that are still being written, or were left so by a crash."""

_MAGIC = b"GenScope trace\r\n"
_HEADER = struct.Struct("<16sIIQQ24x")
_ALIGNMENT = 64
_TYPES = ("<i8", "<i4", "|u1", "|b1")
_BLOCKS = "blocks"


class StoreError(Exception):
    """A file that `save` of this version has not written, or that was damaged since."""


class _Column(msgspec.Struct, kw_only=True):
    name: str
    type: str
    offset: int
    shape: list[int]


class _Manifest(msgspec.Struct, kw_only=True):
    columns: list[_Column]
    strings_offset: int
    strings_bytes: int
    path: bytes
    size_bytes: int
    text_bytes: int
    tracks: list[tuple[int | str, int | str, str, str]]
    devices: list[tuple[int, str, dict[str, Any]]]
    base_ns: int
    rank: int | None
    world_size: int | None
    metadata: dict[str, Any]
    counts: dict[str, int]
    warnings: list[TraceWarning]


class _Header(NamedTuple):
    magic: bytes
    version: int
    checksum: int
    manifest_offset: int
    total_bytes: int


def stored_bytes(trace: Trace) -> int:
    """About how large the file will be, in bytes: the columns, which are nearly all of it."""
    return sum(array.nbytes for _, array in _columns(trace))


def save(trace: Trace, path: str | os.PathLike[str]) -> None:
    """Write `trace` to `path`, which has either its old content or all of the new at any time.

    Raises OSError where it cannot be written, and ValueError, TypeError or OverflowError for
    metadata that JSON cannot carry.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}{TEMPORARY}")
    try:
        with open(temporary, "xb") as file:
            _write(trace, file)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def open_stored(path: str | os.PathLike[str]) -> Trace:
    """Return the trace that `save` wrote to `path`; its columns are read-only and mapped.

    The file may be replaced or deleted afterwards, but must not be written into. Raises OSError
    where it cannot be opened and StoreError where it is not what `save` of this version writes.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _HEADER.size:
            raise StoreError(f"{os.fspath(path)}: is too short")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return _open(mapped, size)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise StoreError(f"{os.fspath(path)}: {error}") from error


# Writing ----------------------------------------------------------------------------------------


class _Output:
    """A file that is written once from the start, with a checksum of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.at = _HEADER.size
        self.checksum = 0
        self._file = file
        file.write(bytes(_HEADER.size))

    def put(self, data: bytes | memoryview) -> int:
        """Write `data` at the next aligned place, and return where that is."""
        self._write(bytes(-self.at % _ALIGNMENT))
        start = self.at
        self._write(data)
        return start

    def _write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self.checksum = isal_zlib.crc32(data, self.checksum)
        self.at += len(data)


def _columns(trace: Trace) -> list[tuple[str, npt.NDArray[Any]]]:
    return [
        *((f"events.{name}", getattr(trace.events, name)) for name in Events.__slots__),
        *((f"links.{name}", getattr(trace.links, name)) for name in Links.__slots__),
        *((f"memory.{name}", getattr(trace.memory, name)) for name in MemoryEvents.__slots__),
        (_BLOCKS, trace.blocks),
    ]


def _write(trace: Trace, file: IO[bytes]) -> None:
    output = _Output(file)
    columns = []
    for name, array in _columns(trace):
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        # An empty array has no memory that could be viewed as bytes.
        offset = output.put(plain.data.cast("B") if plain.size else b"")
        columns.append(
            _Column(name=name, type=plain.dtype.str, offset=offset, shape=list(plain.shape))
        )
    strings = msgspec.json.encode(list(trace.strings))
    strings_offset = output.put(strings)
    manifest = _Manifest(
        columns=columns,
        strings_offset=strings_offset,
        strings_bytes=len(strings),
        path=os.fsencode(trace.path),
        size_bytes=trace.size_bytes,
        text_bytes=trace.text_bytes,
        tracks=[(t.process, t.thread, t.process_name, t.thread_name) for t in trace.tracks],
        devices=[(d.index, d.name, dict(d.properties)) for d in trace.devices],
        base_ns=trace.base_ns,
        rank=trace.rank,
        world_size=trace.world_size,
        metadata=dict(trace.metadata),
        counts=dict(trace.counts),
        warnings=list(trace.warnings),
    )
    manifest_offset = output.put(msgspec.json.encode(manifest))
    file.seek(0)
    file.write(_HEADER.pack(_MAGIC, FORMAT_VERSION, output.checksum, manifest_offset, output.at))


# Reading ----------------------------------------------------------------------------------------


def _open(mapped: mmap.mmap, size: int) -> Trace:
    header = _Header(*_HEADER.unpack_from(mapped))
    if header.magic != _MAGIC or header.version != FORMAT_VERSION:
        raise ValueError("is of another format")
    if header.total_bytes != size:
        raise ValueError("is not complete")
    with memoryview(mapped) as view, view[_HEADER.size :] as content:
        if isal_zlib.crc32(content) != header.checksum:
            raise ValueError("is damaged")
    found = msgspec.json.decode(mapped[header.manifest_offset :], type=_Manifest)
    end = found.strings_offset + found.strings_bytes
    strings = msgspec.json.decode(mapped[found.strings_offset : end], type=list[str])
    arrays = {column.name: _array(mapped, column) for column in found.columns}
    events = Events(**{name: arrays[f"events.{name}"] for name in Events.__slots__})
    return Trace(
        path=os.fsdecode(found.path),
        size_bytes=found.size_bytes,
        text_bytes=found.text_bytes,
        events=events,
        links=Links(**{name: arrays[f"links.{name}"] for name in Links.__slots__}),
        strings=strings,
        tracks=[Track(*track) for track in found.tracks],
        devices=[Device(*device) for device in found.devices],
        base_ns=found.base_ns,
        rank=found.rank,
        world_size=found.world_size,
        metadata=found.metadata,
        counts=found.counts,
        blocks=arrays[_BLOCKS],
        warnings=found.warnings,
        memory=MemoryEvents(**{name: arrays[f"memory.{name}"] for name in MemoryEvents.__slots__}),
        document=document_of(found.metadata)[0],
    )


def _array(mapped: mmap.mmap, column: _Column) -> npt.NDArray[Any]:
    if column.type not in _TYPES:
        raise ValueError(f"has a column of type {column.type}")
    count = int(np.prod(column.shape, dtype=np.int64))
    array: npt.NDArray[Any] = (
        np.frombuffer(mapped, dtype=column.type, count=count, offset=column.offset)
        if count
        else np.empty(0, dtype=column.type)
    )
    return array.reshape(column.shape)
