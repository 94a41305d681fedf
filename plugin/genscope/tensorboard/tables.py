"""Tables of measured times under the logdir, which a run can be predicted from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from genscope.analysis.speedup.results import Table
from genscope.analysis.speedup.table import read_table
from genscope.tensorboard.discovery import TraceFile
from genscope.tensorboard.files import FileSystem, file_system_of
from genscope.tensorboard.memory import Memory

MAX_BYTES = 32 << 20
"""No table is as large."""

MAX_KEPT_BYTES = 64 << 20


class TableInfo(msgspec.Struct, kw_only=True):
    """What a table was measured on. `source` is replay or pair; `shapes` counts its rows."""

    id: str
    source: str
    trace: str
    """The trace, or the two, that the shapes are from."""
    device: str
    device_name: str
    torch: str | None
    shapes: int
    implementations: list[str]


class Tables:
    """Reads tables that discovery found, each version of one once."""

    def __init__(self, *, file_system: Callable[[str], FileSystem] = file_system_of) -> None:
        self._file_system = file_system
        self._read: Memory[TraceFile, tuple[Table | None, int]] = Memory(
            lambda read: read[1], MAX_KEPT_BYTES
        )

    def read(self, file: TraceFile) -> Table | None:
        """Return a table; None for a file that is none after all."""
        known = self._read.get(file)
        if known is None:
            known = self._from(file)
            self._read.put(file, known)
        return known[0]

    def listed(self, files: Mapping[str, TraceFile]) -> list[TableInfo]:
        """Say what there is to choose from."""
        tables = ((file.id, self.read(file)) for file in files.values())
        return [_info(name, table) for name, table in tables if table is not None and table.rows]

    def _from(self, file: TraceFile) -> tuple[Table | None, int]:
        if file.stamp.size_bytes > MAX_BYTES:
            return None, 1
        try:
            text = self._file_system(file.path).head(file.path, MAX_BYTES)
        except OSError:
            return None, 1
        return read_table(text), max(len(text), 1)


def _info(name: str, table: Table) -> TableInfo:
    return TableInfo(
        id=name,
        source=table.source,
        trace=table.trace,
        device=table.device,
        device_name=table.device_name,
        torch=table.torch,
        shapes=len(table.rows),
        implementations=sorted({one.implementation for row in table.rows for one in row.timings}),
    )
