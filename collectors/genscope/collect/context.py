"""Where the running code is: the open components and modules of this thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(slots=True)
class Frame:
    """An open call of an annotated module."""

    component: int | None
    """Id in the registry."""
    module: int | None
    """Id in the registry; None for a component called through one of its methods."""
    path: str
    """Qualified name within the component, "" for the component itself."""
    calls: int = 0
    """Attention calls that were made in it so far, those in modules within not counted."""


class Context(threading.local):
    """The frames that are open on the current thread, outermost first."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    @property
    def here(self) -> Frame | None:
        """The innermost open frame."""
        return self.frames[-1] if self.frames else None
