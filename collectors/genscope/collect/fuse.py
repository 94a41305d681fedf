"""What keeps an error of ours out of somebody's job: it is told once, and then we leave."""

from __future__ import annotations

import logging
from collections.abc import Callable

_LOG = logging.getLogger("genscope")


class Fuse:
    """Blows at the first error and calls `leave`, which takes everything of ours away."""

    def __init__(self, leave: Callable[[], object]) -> None:
        self.blown = False
        self._leave = leave

    def blow(self, error: BaseException) -> None:
        """Log `error` and leave, once. Never raises."""
        if self.blown:
            return
        self.blown = True
        try:
            _LOG.error(
                "the annotations failed and are off; the run goes on without them", exc_info=error
            )
        except Exception:
            pass
        finally:
            try:
                self._leave()
            except Exception:
                _LOG.debug("an error while leaving", exc_info=True)
