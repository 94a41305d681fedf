"""The one error of the command line: something that the user gave cannot be used."""

from __future__ import annotations


class Unusable(Exception):
    """A path that cannot be used; the message is one line that names it. Exit status 2."""
