"""Any text as ASCII that Kineto writes unharmed, and back.

Kineto escapes nothing: a quote in a name or a backslash in metadata breaks the file, and other
characters are lost or replaced. So what it does not carry is percent-encoded UTF-8.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote

LIMIT = 400
"""Characters of encoded text that a name takes; Kineto takes 5,000 in all."""

CUT = "..."
"""Stands for what was cut off."""

_SAFE = "!#$&'()*+,-./:;<>?@[]^_`{|}~"
_SAFE_IN_METADATA = _SAFE + " ="
_REST_OF_CHARACTER = re.compile("^(?:%[89AB].)+")


def encode(text: str) -> str:
    """Encode text for metadata: printable ASCII without quotes and backslashes stays as it is.

    Half a surrogate pair, which is no text, becomes a question mark.
    """
    return quote(text, safe=_SAFE_IN_METADATA, errors="replace")


def decode(text: str) -> str:
    """Return what `encode` or `word` was given; what is no UTF-8 is replaced. Never raises."""
    return unquote(text, errors="replace") if "%" in text else text


@lru_cache(maxsize=1 << 14)
def word(text: str) -> str:
    """Encode text as one word of a name: without spaces and `=`, and at most LIMIT characters.

    Of longer text the end is kept, since there a module's path differs from its neighbours'.
    """
    encoded = quote(text[-LIMIT:], safe=_SAFE, errors="replace")
    if len(encoded) <= LIMIT and len(text) <= LIMIT:
        return encoded
    start = len(encoded) - LIMIT + len(CUT)
    split = encoded.rfind("%", start - 2, start)
    tail = encoded[split + 3 if split >= 0 else start :]
    return CUT + _REST_OF_CHARACTER.sub("", tail)
