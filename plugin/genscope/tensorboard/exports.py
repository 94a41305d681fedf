"""The forms in which a trace can be handed to Perfetto, and where each begins in its time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Protocol, TypeVar

import msgspec

from genscope.analysis.results import SCHEMA_VERSION
from genscope.perfetto.native import export_perfetto
from genscope.perfetto.results import Exported
from genscope.tensorboard.files import as_text, file_system_of, one_line
from genscope.trace import Trace
from genscope.trace.naming import stem
from genscope.trace.native.start import clock_start_ns
from genscope.trace.sniff import HEAD_BYTES, looks_native
from genscope.trace.source import Progress

FORMS = "trace-forms"
"""Name of the view, which is that of its route."""

ORIGINAL, ANNOTATED = "original", "annotated"

_T = TypeVar("_T")


class NoAnswer(Exception):
    """There is no answer, for a reason that is not of the file."""


class Form(msgspec.Struct, kw_only=True):
    """One form. `starts_ns`, text, is when Perfetto has the first event of the trace.

    Null is unknown. Epoch nanoseconds exceed what JavaScript holds, so it is text.
    """

    file: str
    size_bytes: int
    starts_ns: str | None


class Forms(msgspec.Struct, kw_only=True):
    """Forms of one trace; `reason` says why there is no annotated one."""

    schema_version: int = SCHEMA_VERSION
    view: str = FORMS
    original: Form
    annotated: Form | None
    reason: str | None


FORMS_OF_JSON = msgspec.json.Decoder(Forms)


class Exports(Protocol):
    """Where exports are kept."""

    def export(self, key: str) -> Path | None:
        """Return where one is, or None."""

    def put_export(self, key: str, write: Callable[[str], _T]) -> _T:
        """Keep what `write` writes. Raises OSError."""


def forms_of(trace: Trace, exports: Exports, key: str | None, progress: Progress) -> Forms:
    """Export a trace with what was found in it, into `exports` under `key`.

    Raises NoAnswer where it cannot be kept, TraceError where the source changed meanwhile.
    """
    name = as_text(PurePath(trace.path).name)
    try:
        head = file_system_of(trace.path).head(trace.path, HEAD_BYTES)
    except OSError as error:
        raise NoAnswer(f"{name}: cannot be read any more: {one_line(error)}") from error
    if looks_native(head):
        at_ns = clock_start_ns(trace)
        starts_ns = None if at_ns is None else str(at_ns)
        return Forms(
            original=Form(file=name, size_bytes=trace.size_bytes, starts_ns=starts_ns),
            annotated=None,
            reason="This is a native trace already, so nothing is drawn on it.",
        )
    if key is None:
        raise NoAnswer(
            f"{name}: was written to just now, or its storage does not say when; "
            "`genscope export` makes the annotated form."
        )

    def write(path: str) -> tuple[Exported, int]:
        done = export_perfetto(trace, path, progress=progress)
        return done, os.path.getsize(path)

    try:
        done, size_bytes = exports.put_export(key, write)
    except OSError as error:
        reason = error.strerror or one_line(error)
        raise NoAnswer(
            f"{name}: the annotated form cannot be kept: {reason} (GENSCOPE_CACHE names another "
            "folder; `genscope export` writes it anywhere)"
        ) from error
    return Forms(
        original=Form(
            file=name, size_bytes=trace.size_bytes, starts_ns=_text(done.source_starts_ns)
        ),
        annotated=Form(
            file=f"{stem(name)}.pftrace", size_bytes=size_bytes, starts_ns=_text(done.starts_ns)
        ),
        reason=None,
    )


def is_export_gone(answer: bytes, exports: Exports, key: str) -> bool:
    """Whether `answer`, the JSON of `Forms`, tells of an export that is not kept any more."""
    return FORMS_OF_JSON.decode(answer).annotated is not None and exports.export(key) is None


def _text(at_ns: int | None) -> str | None:
    return None if at_ns is None else str(at_ns)
