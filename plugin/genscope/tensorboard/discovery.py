"""What is under the logdirs: which traces and tables, what they are called, whether any is there.

Every file that the plugin opens was found here: a request names one by its id, and the id is
looked up among those found, never made into a path. Links in the logdir are followed, as
TensorBoard itself does: whoever may write there decides what is shown.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from genscope.tensorboard import names
from genscope.tensorboard.files import FileSystem, Stamp, as_text, file_system_of, one_line
from genscope.tensorboard.logdirs import Logdir
from genscope.tensorboard.peek import Peeker
from genscope.tensorboard.walk import Bounds, Candidate, Walk
from genscope.trace.naming import TAXONOMY, label_of, stem

HOW_TO_RECORD = (
    "Record one with torch.profiler and its tensorboard_trace_handler, or copy a "
    "*.pt.trace.json, *.json.gz or *.pftrace file there; TensorBoard need not be restarted."
)
NO_LOGDIR = (
    "TensorBoard did not say which folder it looks in; start it with --logdir and the folder "
    "that holds the traces."
)


@dataclass(frozen=True, slots=True)
class TraceFile:
    """A trace, or a table, that was found. `id` is its path relative to the logdir, with `/`."""

    id: str
    label: str
    run: str
    file: str
    path: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look at the logdirs found; `message` says what is wrong or was left out.

    `tables` are tables of times, as `genscope replay` writes them; `taxonomies` what models of the
    suite are, as `genscope suite report` keeps it beside their runs.
    """

    files: Mapping[str, TraceFile] = field(default_factory=dict)
    tables: Mapping[str, TraceFile] = field(default_factory=dict)
    taxonomies: Mapping[str, TraceFile] = field(default_factory=dict)
    message: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    run: str
    candidate: Candidate
    stamp: Stamp


class Discovery:
    """Finds the traces under some logdirs. Safe to use from several threads.

    A scan is kept for `keep_s` seconds, so that requests in quick succession share one.
    """

    def __init__(
        self,
        logdirs: Sequence[Logdir],
        *,
        bounds: Bounds | None = None,
        keep_s: float = 2.0,
        file_system: Callable[[str], FileSystem] = file_system_of,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logdirs = tuple(logdirs)
        self._bounds = bounds or Bounds()
        self._keep_s = keep_s
        self._file_system = file_system
        self._clock = clock
        self._peeker = Peeker()
        self._lock = threading.Lock()
        self._scan: Scan | None = None
        self._scanned_at = 0.0

    def scan(self) -> Scan:
        """Look at the logdirs (or return the last look, if fresh). Reads no trace."""
        with self._lock:
            if self._scan is None or self._clock() - self._scanned_at >= self._keep_s:
                self._scan = self._look()
                self._scanned_at = self._clock()
            return self._scan

    def find(self, file_id: str) -> TraceFile | None:
        """Return the trace with this id as it is now, None if there is no such."""
        known = self._scan.files.get(file_id) if self._scan is not None else None
        if known is None:
            known = self.scan().files.get(file_id)
        if known is None:
            return None
        try:
            stamp = self._file_system(known.path).stamp(known.path)
        except OSError:
            return None
        return dataclasses.replace(known, stamp=stamp)

    def has_any(self) -> bool:
        """Whether a file name under the logdirs promises a trace. Opens no file."""
        return any(self._promises(logdir) for logdir in self._logdirs)

    def _promises(self, logdir: Logdir) -> bool:
        try:
            files = self._file_system(logdir.path)
            for found in Walk(logdir.path, files, self._bounds, self._clock):
                if found.name.is_torch or self._may_be_trace(files, found.path):
                    return True
        except (OSError, ImportError):
            return False
        return False

    def _may_be_trace(self, files: FileSystem, path: str) -> bool:
        """Whether a plain JSON file is not yet known to be something else."""
        try:
            seen = self._peeker.known(path, files.stamp(path))
        except OSError:
            return False
        return seen is None or seen.is_trace

    def _look(self) -> Scan:
        if not self._logdirs:
            return Scan(message=NO_LOGDIR)
        found: list[_Found] = []
        tables: list[_Found] = []
        taxonomies: list[_Found] = []
        messages: list[str] = []
        for logdir in self._logdirs:
            try:
                complete = self._look_in(logdir, found, tables, taxonomies)
            except (OSError, ImportError) as error:
                messages.append(_why_not(logdir.path, error))
                continue
            if not complete:
                messages.append(
                    f"Only a part of {logdir.path} was looked at, since it holds so much; "
                    "start TensorBoard with a --logdir nearer to the traces."
                )
        if not found and not messages:
            places = ", ".join(logdir.path for logdir in self._logdirs)
            messages.append(f"There is no trace under {places}. {HOW_TO_RECORD}")
        return Scan(
            _named(found),
            _named(tables),
            _named(taxonomies),
            as_text(" ".join(messages)) or None,
        )

    def _look_in(
        self,
        logdir: Logdir,
        found: list[_Found],
        tables: list[_Found],
        taxonomies: list[_Found],
    ) -> bool:
        """Add what is under one logdir to the lists; say whether that is all of it."""
        files = self._file_system(logdir.path)
        walk = Walk(logdir.path, files, self._bounds, self._clock)
        plain: list[tuple[Candidate, Stamp]] = []
        for candidate in walk:
            try:
                stamp = files.stamp(candidate.path)
            except OSError:
                continue
            if candidate.name.is_torch:
                found.append(_Found(_run(logdir, candidate), candidate, stamp))
            elif candidate.file == TAXONOMY:
                taxonomies.append(_Found(_run(logdir, candidate), candidate, stamp))
            else:
                plain.append((candidate, stamp))
        # Looking into files costs most, so it comes after what the names alone tell.
        for candidate, stamp in plain:
            if self._peeker.known(candidate.path, stamp) is None and walk.is_late:
                continue
            seen = self._peeker.look(files, candidate.path, stamp)
            if seen.is_trace or seen.is_table:
                listed = found if seen.is_trace else tables
                listed.append(_Found(_run(logdir, candidate), candidate, stamp))
        _drop_exports(found)
        return not walk.is_cut_short


def _drop_exports(found: list[_Found]) -> None:
    """Pass over native traces beside a JSON trace of the same name: they are the same run."""
    sources = {
        (item.run, stem(item.candidate.file)) for item in found if not item.candidate.name.is_native
    }
    found[:] = [
        item
        for item in found
        if not item.candidate.name.is_native or (item.run, stem(item.candidate.file)) not in sources
    ]


def _run(logdir: Logdir, candidate: Candidate) -> str:
    if not logdir.prefix:
        return candidate.folder
    if candidate.folder == names.ROOT:
        return logdir.prefix
    return f"{logdir.prefix}/{candidate.folder}"


def _named(found: Sequence[_Found]) -> dict[str, TraceFile]:
    """Give ids and labels, in the order in which people count (rank2 before rank10)."""
    placed = [
        names.Placed(as_text(item.run), as_text(item.candidate.file), item.candidate.name)
        for item in found
    ]
    ids = names.unique(names.relative(place.folder, place.file) for place in placed)
    files = [
        TraceFile(
            id=file_id,
            label=label_of(as_text(label), place.file),
            run=place.folder,
            file=place.file,
            path=item.candidate.path,
            stamp=item.stamp,
        )
        for file_id, label, place, item in zip(
            ids, names.labels(placed), placed, found, strict=True
        )
    ]
    files.sort(key=lambda file: names.natural_key(file.id))
    return {file.id: file for file in files}


def _why_not(path: str, error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return f"The logdir {path} does not exist (yet)."
    if isinstance(error, NotADirectoryError):
        return f"The logdir {path} is a file; start TensorBoard with the folder that holds it."
    reason = getattr(error, "strerror", None) or one_line(error)
    return f"The logdir {path} cannot be read: {reason}"
