"""How files with traces are named, and which of them hold the same run."""

from __future__ import annotations

JSON_SUFFIXES = (".pt.trace.json.gz", ".pt.trace.json", ".json.gz", ".json")
"""Of JSON traces, of two that fit the longer first."""

NATIVE_SUFFIXES = (".perfetto-trace.gz", ".perfetto-trace", ".pftrace.gz", ".pftrace")
"""Of native Perfetto traces."""

SUFFIXES = (*JSON_SUFFIXES, *NATIVE_SUFFIXES)

TORCH_SUFFIXES = JSON_SUFFIXES[:2]
"""How torch's trace handler names them: such a file is a trace, other files are looked into."""

PLAN_SUFFIXES = (".plan.json.gz", ".plan.json")
"""Of predicted runs, as `genscope plan` names them."""

TAXONOMY = "taxonomy.json"
"""What models of the suite are, kept beside their runs; whoever reads it checks it."""

_LEFT_OVER = (".pt.trace", ".pt", ".trace", ".plan")


def is_native_name(file: str) -> bool:
    """Whether a file is named as native traces are."""
    return file.endswith(NATIVE_SUFFIXES)


def label_of(name: str, file: str) -> str:
    """Say of a run's name that it is of a predicted run, where the file's name says so."""
    return f"{name} (predicted)" if file.endswith(PLAN_SUFFIXES) else name


def stem(file: str) -> str:
    """Return the name of a trace file without what says its format.

    An export has the stem of what it was made from: `w.12.pftrace` and `w.12.pt.trace.json.gz`
    have that of `w.12`. A native trace beside a JSON trace of its stem is taken for its export,
    so for the same run.
    """
    for suffix in SUFFIXES:
        if file.endswith(suffix) and file != suffix:
            file = file.removesuffix(suffix)
            break
    for suffix in _LEFT_OVER:
        if file.endswith(suffix) and file != suffix:
            return file.removesuffix(suffix)
    return file
