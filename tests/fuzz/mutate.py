"""Ways to break the text of a trace. Each takes a generator, the text and text to splice from."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable

Mutation = Callable[[random.Random, bytes, bytes], bytes]

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_STRING = re.compile(rb'"[^"\\\n]{0,200}"')
_VALUE = re.compile(rb'(?<=:)\s*(?:"[^"\\\n]{0,200}"|-?\d+(?:\.\d+)?)')
_EVENT = re.compile(rb"\},\s*\{\s*\"")

_TOKENS = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b'\\"', b"\\u", b"\\uD83D", b"\x00", b"\n",
    b"\xff", b"\xc3", b"\xed\xa0\x80", b"NaN", b"-Infinity", b"inf", b"null", b"true", b"1e999",
    b"}, {", b"]}", b'{"ph": "X"', b'"traceEvents": [', b'"args": {', b"'", b"/*", b"-", b".",
    b"\xef\xbb\xbf", b"        ",
)  # fmt: skip
_NUMBERS = (
    b"0", b"-0", b"-1", b"1", b"0.5", b"2147483647", b"2147483648", b"4294967296",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"1e18", b"1e19",
    b"-9e15", b"8.9e15", b"1e308", b"-1e308", b"1e-300", b"1e999", b"9007199254740993",
    b"1712195495406752.797", b"99999999999999999999999999999999", b"0.0004", b"5e-324",
    b"1e999999", b"-1e9999999999999999999", b"1e-999999", b"0." + b"3" * 400, b"7" * 5000,
)  # fmt: skip
_VALUES = (
    b"null", b"true", b"false", b"[]", b"{}", b'""', b'"5"', b'"-1"', b"[[1], 2]", b'{"a": {}}',
    b"NaN", b'"\\ud800"', b'"nn.Module: A_0"', b'"aten::_softmax"', b'"aten::bmm"', b'"kernel"',
    b'"cpu_op"', b'"user_annotation"', b'"python_function"', b'"cudaGraphLaunch"', b'"X"', b'"B"',
    b'"E"', b'"M"', b'"s"', b'"f"', b'"fwdbwd"', b'"ProfilerStep#1"', b'"AddBackward0"',
    b"[[9223372036854775807, 9223372036854775807], [-1]]", b"[[8, 16, 4], [8, 4, 16]]",
)  # fmt: skip


def _stretch(rng: random.Random, text: bytes, longest: int = 4000) -> tuple[int, int]:
    begin = rng.randrange(len(text) + 1)
    length = int(rng.expovariate(1 / rng.choice([3, 60, 800])))
    return begin, min(len(text), begin + min(length, longest))


def _replace_one(
    rng: random.Random, text: bytes, pattern: re.Pattern[bytes], choices: tuple[bytes, ...]
) -> bytes:
    """Replace one of the places that match, found from somewhere in the text on."""
    match = pattern.search(text, rng.randrange(len(text) + 1)) or pattern.search(text)
    if match is None:
        return text
    return text[: match.start()] + rng.choice(choices) + text[match.end() :]


def cut(rng: random.Random, text: bytes, other: bytes) -> bytes:
    return text[: rng.randrange(len(text) + 1)]


def behead(rng: random.Random, text: bytes, other: bytes) -> bytes:
    return text[rng.randrange(min(len(text), 3000) + 1) :]


def flip(rng: random.Random, text: bytes, other: bytes) -> bytes:
    broken = bytearray(text)
    for _ in range(rng.choice([1, 1, 2, 8])):
        if broken:
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
    return bytes(broken)


def insert(rng: random.Random, text: bytes, other: bytes) -> bytes:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(_TOKENS) * rng.choice([1, 1, 1, 2, 50, 3000]) + text[at:]


def delete(rng: random.Random, text: bytes, other: bytes) -> bytes:
    begin, end = _stretch(rng, text)
    return text[:begin] + text[end:]


def duplicate(rng: random.Random, text: bytes, other: bytes) -> bytes:
    begin, end = _stretch(rng, text)
    return text[:end] + text[begin:end] * rng.choice([1, 1, 2, 20]) + text[end:]


def swap(rng: random.Random, text: bytes, other: bytes) -> bytes:
    (first, second), (third, fourth) = sorted([_stretch(rng, text), _stretch(rng, text)])
    third = max(second, third)
    fourth = max(third, fourth)
    return (
        text[:first] + text[third:fourth] + text[second:third] + text[first:second] + text[fourth:]
    )


def splice(rng: random.Random, text: bytes, other: bytes) -> bytes:
    begin, end = _stretch(rng, other, 20_000)
    at = rng.randrange(len(text) + 1)
    return text[:at] + other[begin:end] + text[at:]


def splice_event(rng: random.Random, text: bytes, other: bytes) -> bytes:
    """Put whole events of another trace between two."""
    found = [match.start() + 1 for match in _EVENT.finditer(other)]
    place = _EVENT.search(text, rng.randrange(len(text) + 1))
    if len(found) < 2 or place is None:
        return text
    begin = rng.randrange(len(found) - 1)
    end = min(len(found) - 1, begin + rng.randint(1, 20))
    at = place.start() + 1
    return text[:at] + other[found[begin] : found[end]] + text[at:]


def number(rng: random.Random, text: bytes, other: bytes) -> bytes:
    for _ in range(rng.choice([1, 3, 10])):
        text = _replace_one(rng, text, _NUMBER, _NUMBERS)
    return text


def value(rng: random.Random, text: bytes, other: bytes) -> bytes:
    for _ in range(rng.choice([1, 3, 10])):
        text = _replace_one(rng, text, _VALUE, _VALUES)
    return text


def borrow(rng: random.Random, text: bytes, other: bytes) -> bytes:
    """Replace a string, a key perhaps, by another of the same or the other trace."""
    source = rng.choice([text, other])
    match = _STRING.search(source, rng.randrange(len(source) + 1))
    return _replace_one(rng, text, _STRING, (match[0],)) if match else text


MUTATIONS: tuple[Mutation, ...] = (
    cut, behead, flip, flip, insert, insert, delete, delete, duplicate, duplicate, swap, splice,
    splice_event, splice_event, number, number, value, value, value, borrow, borrow,
)  # fmt: skip


def mutated(rng: random.Random, corpus: list[bytes]) -> bytes:
    """Break a trace of the corpus in one to several ways, stored plain or as gzip."""
    text = rng.choice(corpus)
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 5, 12])):
        text = rng.choice(MUTATIONS)(rng, text, rng.choice(corpus))
    if rng.random() < 0.9:
        return text
    stored = gzip.compress(text, compresslevel=1, mtime=0)
    if rng.random() < 0.5:
        stored = rng.choice((cut, flip, delete, duplicate))(rng, stored, b"")
    return stored
