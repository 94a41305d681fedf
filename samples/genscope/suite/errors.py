"""The one error of the suite that is the user's to mend."""

from __future__ import annotations


class UnavailableError(Exception):
    """Nothing of what was asked can be recorded here; the text says why, and what to do."""
