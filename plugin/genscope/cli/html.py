"""A report as one HTML file: the pages of the plugin, their data inside, and no network.

What comes from a trace is JSON in a data block, never markup or script; a policy in the file
forbids it to load or to run anything but the script that it was written with.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genscope.cli.errors import Unusable
from genscope.cli.html_views import Attended, attended, views

if TYPE_CHECKING:
    from genscope.analysis.results import Operators, Overview
    from genscope.trace.model import Trace

SCRIPT = Path(__file__).parents[1] / "tensorboard" / "static" / "report.js"
"""Built with the page of the plugin; not there in a fresh checkout."""

_IN_JSON = {char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
"""So that no text can end the block that it stands in, or a line of script."""


@dataclass(frozen=True)
class Reported:
    """One run of a report."""

    label: str
    file: str
    size_bytes: int
    operators: Operators
    overview: Overview
    attended: Attended


def script() -> str:
    """The script of a report. Raises `Unusable` where it has not been built."""
    try:
        text = SCRIPT.read_text("utf-8")
    except OSError as error:
        raise Unusable(
            "the pages are not built in this checkout, and an HTML report needs them: run "
            "`npm ci && npm run build` in its folder frontend"
        ) from error
    # Inside an element, these would end the script or change how the rest is read.
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def reported(label: str, trace: Trace) -> Reported:
    """Analyse one run for a report."""
    from genscope.analysis.operators import breakdown
    from genscope.analysis.overview import overview

    return Reported(
        label=label,
        file=os.path.basename(trace.path),
        size_bytes=trace.size_bytes,
        operators=breakdown(trace),
        overview=overview(trace),
        attended=attended(trace),
    )


def page(runs: Sequence[Reported], view: str) -> str:
    """The whole file; `view` is the page that it opens with, the first of `runs` is the base."""
    return _file(f"GenScope: {', '.join(run.label for run in runs)}", _data(runs, view))


def single(view: str, result: Any) -> str:
    """A file with one page alone, which is of no single run: `view` is its name and its route."""
    runs = {"schema_version": result.schema_version, "runs": [], "message": None}
    none: dict[str, Any] = {"operators": {}, "overview": {}, "compare": {}}
    data = {"page": view, "pages": [view], "runs": runs, "views": {view: {"": result}}, **none}
    return _file(f"GenScope: {view}", data)


def _file(title: str, data: dict[str, Any]) -> str:
    code = script()
    policy = (
        f"default-src 'none'; script-src '{_digest(code)}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        "<!doctype html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n"
        "<noscript>This report draws its charts with JavaScript.</noscript>\n"
        f'<script id="genscope-data" type="application/json">{_json(data)}</script>\n'
        f'<script type="module">{code}</script>\n'
        "</body>\n</html>\n"
    )


def _data(runs: Sequence[Reported], view: str) -> dict[str, Any]:
    from genscope.analysis.compare import compare
    from genscope.analysis.results import SCHEMA_VERSION

    listed = [
        {
            "id": run.label,
            "label": run.label,
            "run": run.label,
            "file": run.file,
            "size_bytes": run.size_bytes,
            "state": "ready",
            "read_bytes": run.size_bytes,
            "error": None,
        }
        for run in runs
    ]
    results = [(run.label, run.operators) for run in runs]
    return {
        "page": view,
        "runs": {"schema_version": SCHEMA_VERSION, "runs": listed, "message": None},
        "operators": {run.label: run.operators for run in runs},
        "overview": {run.label: run.overview for run in runs},
        "views": views([(run.label, run.attended) for run in runs]),
        "compare": {base: _beside(base, results, compare) for base, _ in results},
    }


def _beside(base: str, results: Sequence[tuple[str, Operators]], compare: Any) -> Any:
    """All runs beside `base`, given in the order of `results`: any of them can be made the base."""
    first = sorted(results, key=lambda result: result[0] != base)
    comparison = compare(first)
    place = {run.run: run for run in comparison.runs}
    comparison.runs = [place[label] for label, _ in results]
    return comparison


def _json(data: Any) -> str:
    import msgspec

    text = msgspec.json.encode(data).decode()
    for char, spelled in _IN_JSON.items():
        text = text.replace(char, spelled)
    return text


def _digest(code: str) -> str:
    digest = hashlib.sha256(code.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
