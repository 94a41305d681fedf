"""Progress of reading, on stderr and only where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from genscope.cli.formatting import neutral

Report = Callable[[int, "int | None"], None]
"""Told the bytes of the stored file read so far, and its size in bytes or None."""


@contextmanager
def reading(name: str) -> Iterator[Report | None]:
    """Show a bar while `name` is read; it disappears at the end. None where nobody watches."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("Reading {task.fields[name]}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as shown:
        task = shown.add_task("", total=None, name=neutral(name))

        def report(done: int, size: int | None) -> None:
            shown.update(task, completed=done, total=size)

        yield report
