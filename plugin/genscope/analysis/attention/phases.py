"""The phase of every attention call: prefill, decode, parallel_decode, denoise or encode.

Decode is the growth of keys by a cache (or of the whole sequence, without one), whatever a method
is called; a prompt that is read in chunks grows too, so the long chunks before the first token are
prefill. Denoising runs after an embedding of its timestep, parallel decoding embeds its tokens and
draws all of them in each round. What does none of this is an encoder's work. Training has no
phases, nor has a language model that is scored against a text: it reads no prompt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from genscope.analysis.attention.clues import (
    Rounds,
    drawing_rounds,
    scored,
    timestep_rounds,
    vocabularies,
)
from genscope.analysis.attention.columns import Calls
from genscope.analysis.attention.operands import Marks
from genscope.analysis.attention.period import find_period
from genscope.analysis.attention.serving import serving_steps
from genscope.analysis.attention.training import is_training, loss_of
from genscope.trace.model import NONE, Bool, Int64, Trace
from genscope.trace.nest import Nest

PREFILL, DECODE, PARALLEL, DENOISE, ENCODE, MIXED = (
    "prefill",
    "decode",
    "parallel_decode",
    "denoise",
    "encode",
    "mixed",
)

DRAWN = "all tokens are embedded and drawn again in each round"
IN_DRAWN = "of a component that draws all its tokens again in each round"
TIMESTEP = "follows an embedding of a timestep in each round"
READ_LATER = "what is attended across to later has its length"
WHOLE = "neither grows nor follows a timestep: runs over its whole input"
BESIDE_DENOISER = "a causal text encoder beside what makes an image"
BESIDE_IMAGE = "causal beside an image's encoder, and no scores over its vocabulary follow"
CAUSAL = "causal, as many keys as queries, and no cache grows"
SCORED = "causal over whole sequences, and a loss is taken: training or evaluation"
ENGINE_CAUSAL = "causal, since its queries are the prompts that the serving engine tells of"
PROMPT = "the prompt: as many keys as queries"
ONE_TOKEN = "one query a sequence on a growing cache"

_CHUNK = 64
"""Queries a sequence from which a growing call reads a chunk of a prompt. Speculative decoding
checks fewer tokens at once."""

_ENCODERS = re.compile(
    r"text_?(encoder|model)|image_encoder|vision|safety_checker|t5encoder|clip|bert|vae|vqvae"
    r"|autoencoder|vqmodel|movq|^encoder|^decoder_\d+$|vocoder",
    re.IGNORECASE,
)
_DENOISERS = re.compile(
    r"unet|denois|transformer[23]d|(^|[^a-z])dit([^a-z]|$)|mmdit|^transformer$|prior|"
    r"super_resolution|controlnet|diffus|latte",
    re.IGNORECASE,
)
_MASKED = re.compile(r"uvit|maskgit|mask_?git|muse|masked_?transformer|phenaki", re.IGNORECASE)


def decide_phases(trace: Trace, calls: Calls, cached: Bool, marks: Marks) -> None:
    """Fill the columns `phase` and `phase_reason` of forward calls; none in training.

    `cached`, shape (c,), marks calls on keys of earlier calls.
    """
    if not len(calls) or is_training(trace):
        return
    _by_engine(trace, calls)
    open_ = np.flatnonzero((calls.texts["phase"] < 0) & calls.has_shape)
    parts = parts_of(calls, open_, cached)
    generates = np.zeros(len(calls), dtype=np.bool_)
    for part in parts:
        generates[part] = cached[part].any()
    _in_rounds(trace, calls, open_[~generates[open_]], marks)
    in_rounds = calls.is_word("phase", DENOISE) | calls.is_word("phase", PARALLEL)
    denoises = bool(in_rounds.any()) or any(_DENOISERS.search(_name(calls, part)) for part in parts)
    texts = _Texts(
        tables=vocabularies(trace),
        scores=scored(marks),
        for_denoiser=denoises and not generates.any(),
        beside_image=bool(calls.is_word("axis", "spatial")[open_].any()),
        has_loss=loss_of(trace) is not None,
    )
    drawn = np.unique(calls.texts["component"][calls.is_word("phase", PARALLEL)])
    for part in parts:
        if generates[part].any():
            _autoregressive(calls, part, cached)
        elif (ramp := _ramp(calls, part)) is not None:
            _without_cache(calls, part, ramp)
        else:
            for rest in _by_mask(calls, part[calls.texts["phase"][part] < 0]):
                of_drawn = int(calls.texts["component"][rest[0]]) in drawn[drawn >= 0]
                is_open = phase_of_name(_name(calls, rest)) != ENCODE
                found = (PARALLEL, IN_DRAWN) if of_drawn and is_open else None
                _set(calls, rest, *(found or _whole(calls, rest, texts)))


@dataclass(frozen=True, slots=True)
class _Texts:
    """What tells a prompt from a text that is only encoded."""

    tables: Mapping[int, set[int]]
    """Rows of the tables of embeddings, by the length of the sequences looked up."""
    scores: set[int]
    """How many scores linear ops give a token."""
    for_denoiser: bool
    """Something denoises, and nothing generates text."""
    beside_image: bool
    """Positions of an image are attended by something else."""
    has_loss: bool
    """Scores are compared with what is right."""


def _name(calls: Calls, part: Int64) -> str:
    return calls.text("component", int(part[0])) or ""


_NAMED = {
    PARALLEL: "predicts all masked tokens at once",
    ENCODE: "is an encoder or decoder of the pipeline",
    DENOISE: "denoises a whole latent at once",
}


def phase_of_name(name: str) -> str | None:
    """Return the phase that a component's name alone tells; None where it tells none."""
    for pattern, phase in ((_MASKED, PARALLEL), (_ENCODERS, ENCODE), (_DENOISERS, DENOISE)):
        if pattern.search(name):
            return phase
    return None


def _set(calls: Calls, places: Int64, phase: str | None, reason: str) -> None:
    calls.texts["phase"][places] = calls.words.number(phase)
    calls.texts["phase_reason"][places] = calls.words.number(reason)


def _by_engine(trace: Trace, calls: Calls) -> None:
    """Take the word of a serving engine's annotation around the launch."""
    steps = serving_steps(trace)
    if not steps:
        return
    events = trace.events
    rows = np.array([step.row for step in steps], dtype=np.int64)
    nest = Nest(rows, events.track, events.start_ns, events.end_ns)
    at = np.where(events.is_device[calls.row], trace.links.launch[calls.row], calls.row).astype(
        np.int64
    )
    known = np.flatnonzero(at >= 0)
    around = nest.enclosing(events.track[at[known]], events.start_ns[at[known]])
    for step in steps:
        mine = known[around == step.row]
        _set(calls, mine, step.phase, step.reason)
        if step.prefills > 0 and step.prefill_tokens is not None:
            _mask_prompts(calls, mine, step.prefill_tokens + (step.decode_tokens or 0))


def _mask_prompts(calls: Calls, served: Int64, tokens: int) -> None:
    """Fill the mask of the calls on all `tokens` of an engine's step, where no op tells it.

    What else runs in the step, such as an encoder of images, has tokens of its own.
    """
    open_ = (calls.causal[served] < 0) & (calls.texts["mask"][served] < 0) & ~calls.chain[served]
    open_ &= (calls.sizes["q_tokens"][served] == tokens) & calls.is_word("kind", "self")[served]
    places, reason = served[open_], calls.texts["reason"]
    calls.texts["mask"][places] = calls.words.number("causal")
    for number in np.unique(reason[places]).tolist():
        before = calls.words.text(number)
        said = f"{before}; {ENGINE_CAUSAL}" if before else ENGINE_CAUSAL
        reason[places[reason[places] == number]] = calls.words.number(said)


def _in_rounds(trace: Trace, calls: Calls, places: Int64, marks: Marks) -> None:
    """Find parallel decoding and denoising by the rounds they run in."""
    named = {
        int(one): phase_of_name(calls.words.text(int(one)) or "")
        for one in np.unique(calls.texts["component"][places]).tolist()
        if one >= 0
    }
    phase = np.array(
        [named.get(int(one)) or "" for one in calls.texts["component"][places]], dtype=object
    )
    drawing = drawing_rounds(trace)
    encoded = (phase == ENCODE) | (calls.causal[places] == 1)
    drawn = (drawing.around(calls, places) >= 0) & ~encoded
    # One round alone could be a model that fills in a text.
    drawn &= (phase != "") | (len(drawing.key) >= 2)
    _set(calls, places[drawn], PARALLEL, DRAWN)
    places = places[~drawn & (phase == "")]
    steps = timestep_rounds(trace, marks)
    for part in _denoised(calls, places, steps.around(calls, places), steps):
        _set(calls, part, DENOISE, TIMESTEP)


def _denoised(calls: Calls, places: Int64, of_round: Int64, steps: Rounds) -> Iterator[Int64]:
    """Calls of each round, as far as a round beside it has the same.

    What is decoded after the last step, or between two loops, is in no other round. In a round
    that is like none beside it, calls belong to it until the timestep is last projected, and those
    like them behind.
    """
    inside = np.flatnonzero(of_round >= 0)
    if not len(inside):
        return
    symbols = _symbols(calls, places)
    order = inside[np.lexsort((calls.start_ns[places[inside]], of_round[inside]))]
    numbers, first = np.unique(of_round[order], return_index=True)
    rounds = list(zip(numbers.tolist(), np.split(order, first[1:]), strict=True))
    for at, (one, mine) in enumerate(rounds):
        alike = 0
        for beside in rounds[max(at - 1, 0) : at] + rounds[at + 1 : at + 2]:
            if steps.key[beside[0]] == steps.key[one]:
                count = _common(symbols[mine], symbols[beside[1]])
                if 2 * count >= min(len(mine), len(beside[1])):
                    alike = max(alike, count)
        if not alike:
            told = int((calls.start_ns[places[mine]] < steps.told_ns[one]).sum())
            other = ~np.isin(symbols[mine], symbols[mine[:told]])
            alike = int(np.argmax(other)) if told and other.any() else len(mine)
        yield places[mine[:alike]]


def _common(left: Int64, right: Int64) -> int:
    """How many symbols two sequences have in common at their start."""
    count = min(len(left), len(right))
    differ = np.flatnonzero(left[:count] != right[:count])
    return int(differ[0]) if len(differ) else count


def parts_of(calls: Calls, places: Int64, cached: Bool) -> list[Int64]:
    """Split calls by component; those without one into what repeats, and what is around it.

    A cache grows from call to call, so where there is one, calls of one width stay together.
    """
    component = calls.texts["component"][places]
    found = [
        places[component == number] for number in np.unique(component[component >= 0]).tolist()
    ]
    rest = places[component < 0]
    if not len(rest):
        return found
    rest = rest[np.argsort(calls.start_ns[rest], kind="stable")]
    width = calls.sizes["heads"][rest] * (1 << 20) + calls.sizes["head_dim"][rest]
    generating = np.unique(width[cached[rest]])
    found += [rest[width == one] for one in generating.tolist()]
    rest = rest[~np.isin(width, generating)]
    if not len(rest):
        return found
    period = find_period(_symbols(calls, rest))
    if period is None:
        return [*found, rest]
    pieces = (rest[: period.start], rest[period.start : period.end], rest[period.end :])
    return [*found, *(piece for piece in pieces if len(piece))]


def _symbols(calls: Calls, places: Int64) -> Int64:
    """A number for each call by its shape; keys that a cache holds do not tell calls apart."""
    q, kv = calls.sizes["q_len"][places], calls.sizes["kv_len"][places]
    cached = calls.is_word("kind", "self")[places] & (kv > q)
    table = np.stack(
        [
            q,
            np.where(cached, NONE, kv),
            *(calls.sizes[name][places] for name in ("batch", "heads", "head_dim")),
        ],
        axis=1,
    )
    _, number = np.unique(table, axis=0, return_inverse=True)
    symbols: Int64 = number.reshape(-1).astype(np.int64)
    return symbols


def _autoregressive(calls: Calls, part: Int64, grows: Bool) -> None:
    """Tell the prompt from the tokens, where keys are cached, and the encoder's calls from both."""
    q = calls.sizes["q_len"]
    order = part[np.argsort(calls.start_ns[part], kind="stable")]
    read = _read_later(calls, order, grows)
    _set(calls, read, ENCODE, READ_LATER)
    order = order[~np.isin(order, read)]
    is_self = calls.is_word("kind", "self")
    usual = Counter(q[place] for place in order.tolist() if grows[place] and q[place] < _CHUNK)
    steady = usual.most_common(1)[0][0] if usual else 1
    state, why = PREFILL, PROMPT
    last_chunk = False
    for place in order.tolist():
        if is_self[place]:
            length = int(q[place])
            if not grows[place]:
                state, why = PREFILL, PROMPT
                last_chunk = False
            elif length >= _CHUNK:
                state, why = PREFILL, "a chunk of the prompt: many queries on a growing cache"
                last_chunk = True
            elif last_chunk and length > steady:
                state, why = PREFILL, "the last chunk of the prompt"
            else:
                last_chunk = False
                state, why = DECODE, _decode_reason(length)
        calls.texts["phase"][place] = calls.words.number(state)
        calls.texts["phase_reason"][place] = calls.words.number(why)


def _decode_reason(length: int) -> str:
    if length == 1:
        return ONE_TOKEN
    return "a few queries a sequence on a growing cache: several tokens at once"


def _read_later(calls: Calls, order: Int64, grows: Bool) -> Int64:
    """Calls of an encoder: self attention on as many tokens as cross attention then reads.

    The call just before may be the decoder's own, with the queries of the cross attention.
    """
    q, kv = calls.sizes["q_len"], calls.sizes["kv_len"]
    is_self, is_cross = calls.is_word("kind", "self"), calls.is_word("kind", "cross")
    runs: dict[int, list[int]] = {}
    found: list[int] = []
    for place in order.tolist():
        length = int(kv[place])
        if is_cross[place]:
            run = runs.pop(length, [])
            found += run[:-1] if int(q[place]) == length else run
            runs.clear()
        elif grows[place]:
            # A decoder that goes on has no encoder just before.
            runs.clear()
        elif is_self[place] and calls.causal[place] == 1:
            runs.pop(length, None)
        elif is_self[place] and not grows[place]:
            runs.setdefault(length, []).append(place)
    return np.array(found, dtype=np.int64)


def _ramp(calls: Calls, part: Int64) -> Int64 | None:
    """Lengths of the rounds of a part that reads its whole sequence again for each token."""
    q, kv = calls.sizes["q_len"], calls.sizes["kv_len"]
    own = part[calls.is_word("kind", "self")[part] & (q[part] == kv[part])]
    lengths: Int64 = q[own]
    if len(lengths) < 3:
        return None
    seen = lengths[np.r_[True, lengths[1:] != lengths[:-1]]]
    if len(seen) < 3 or not (np.diff(seen) == 1).all():
        return None
    return lengths


def _without_cache(calls: Calls, part: Int64, lengths: Int64) -> None:
    prompt = calls.sizes["q_len"][part] == int(lengths[0])
    _set(calls, part[prompt], PREFILL, "the first round of a growing sequence")
    _set(
        calls,
        part[~prompt],
        DECODE,
        "the sequence grows by a token a round, without a cache",
    )


def _by_mask(calls: Calls, part: Int64) -> list[Int64]:
    """Split a part into the calls of widths that have a causal call, and the others."""
    width = calls.sizes["heads"][part] * (1 << 20) + calls.sizes["head_dim"][part]
    causal = np.isin(width, width[_causal(calls, part)])
    return [one for one in (part[causal], part[~causal]) if len(one)]


def _causal(calls: Calls, part: Int64) -> Bool:
    mask: Bool = (calls.causal[part] == 1) | calls.is_word("mask", "causal")[part]
    return mask


def _whole(calls: Calls, part: Int64, texts: _Texts) -> tuple[str | None, str]:
    """Phase of a part whose lengths do not grow and that runs in no rounds, and why.

    None where it has none.
    """
    name = _name(calls, part)
    told = phase_of_name(name)
    causal = _causal(calls, part)
    # Nothing that denoises is causal: many language models have a part named transformer.
    if told is not None and not (told == DENOISE and causal.all()):
        return told, f"{name} {_NAMED[told]}"
    if not causal.any():
        return ENCODE, WHOLE
    if texts.for_denoiser:
        return ENCODE, BESIDE_DENOISER
    lengths = set(calls.sizes["q_len"][part[causal]].tolist())
    tables = set().union(*(texts.tables.get(length, set()) for length in lengths))
    scored = not tables or not texts.scores or bool(tables & texts.scores)
    if not scored and texts.beside_image:
        return ENCODE, BESIDE_IMAGE
    if texts.has_loss:
        return None, SCORED
    return PREFILL, CAUSAL
