"""What our collectors wrote beside the events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genscope.schema import METADATA_KEY, VERSION, Document, SchemaError, loads
from genscope.trace.errors import TraceWarning


def document_of(metadata: Mapping[str, Any]) -> tuple[Document | None, list[TraceWarning]]:
    """Read the document in the metadata of a trace, if there is one; warn where it is unusable."""
    if METADATA_KEY not in metadata:
        return None, []
    try:
        document = loads(metadata[METADATA_KEY])
    except SchemaError as error:
        message = (
            f"The table of the annotations cannot be read ({error}), so of annotated events only "
            "the names are known."
        )
        return None, [TraceWarning(code="annotations_unreadable", count=1, message=message)]
    if document.version <= VERSION:
        return document, []
    message = (
        f"The annotations are of version {document.version} and this GenScope knows {VERSION}: "
        "what was added since is not shown. A newer GenScope shows it."
    )
    return document, [TraceWarning(code="annotations_newer", count=1, message=message)]
