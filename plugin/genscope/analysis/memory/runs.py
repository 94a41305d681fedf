"""The denoiser of a trace, and which of its attention calls belong to one run of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genscope.analysis.attention.columns import Calls, alike
from genscope.analysis.attention.period import find_period
from genscope.analysis.attention.phases import DENOISE
from genscope.analysis.attention.units import units_of
from genscope.analysis.attention.where import FORWARD_PASSES, in_passes
from genscope.trace.model import NONE, Bool, Int64, Trace

NO_DENOISER = "no attention call belongs to a denoiser"
_ROUGHLY = 0.9
"""Share of the calls that a pattern has to explain."""


MOST_PAIRS = 2.0**48
"""Numbers in a score matrix; what is larger fits no memory, only a broken file."""


def sized(calls: Calls) -> Bool:
    """Mask of shape (c,) of the calls whose score matrix has a known size."""
    q, kv = calls.sizes["q_len"], calls.sizes["kv_len"]
    mask: Bool = (q >= 0) & (kv >= 0) & (q.astype(np.float64) * kv < MOST_PAIRS)
    return mask


@dataclass(frozen=True, slots=True)
class Runs:
    """Calls of the denoiser, and how they fall into runs of it."""

    component: str | None
    places: Int64
    """Shape (k,): places of its forward calls of known lengths, in order."""
    run: Int64
    """Shape (k,): number of the run of each, -1 for calls that are in none."""
    count: int
    reason: str
    """What tells one run from the next."""
    others: list[str]
    """Further components that denoise."""


def runs_of(trace: Trace, calls: Calls) -> Runs | None:
    """Find the denoiser: of several, the one with most in its score matrices."""
    places = np.flatnonzero(in_passes(calls, FORWARD_PASSES) & sized(calls))
    places = places[_denoises(calls, places)]
    if not len(places):
        return None
    component = calls.texts["component"][places]
    pairs = (calls.sizes["q_len"] * calls.sizes["kv_len"])[places].astype(np.float64)
    names, which = np.unique(component, return_inverse=True)
    which = which.reshape(-1)
    sums = np.bincount(which, weights=pairs)
    # What attends to a text alone has no matrix that grows with the image's area squared.
    alone = np.bincount(which, weights=~calls.is_word("kind", "cross")[places])
    main = int((sums * (alone > 0) if alone.any() else sums).argmax())
    others = [calls.words.text(name) for name in names.tolist() if name != names[main]]
    places = places[which == main]
    run, reason = _numbered(trace, calls, places)
    return Runs(
        component=calls.text("component", int(places[0])),
        places=places,
        run=run,
        count=len(np.unique(run[run >= 0])),
        reason=reason,
        others=[name for name in others if name is not None],
    )


def _denoises(calls: Calls, places: Int64) -> Bool:
    """Calls of the phase denoise; without phases, of a component that looks like a UNet."""
    mask: Bool = calls.is_word("phase", DENOISE)[places]
    if mask.any() or (calls.texts["phase"][places] >= 0).any():
        return mask
    component = calls.texts["component"][places]
    spatial = (calls.is_word("axis", "spatial") & calls.is_word("kind", "self"))[places]
    crossed = calls.is_word("kind", "cross")[places]
    for one in np.unique(component).tolist():
        mine = component == one
        lengths = np.unique(calls.sizes["q_len"][places[mine & spatial]])
        if len(lengths) > 1 and (mine & crossed).any():
            mask |= mine
    return mask


def _numbered(trace: Trace, calls: Calls, places: Int64) -> tuple[Int64, str]:
    """Number the runs: by calls of the component, else by what repeats in the calls."""
    unit = units_of(trace).around(trace, calls.row[places])
    if (unit >= 0).all():
        number = np.unique(unit, return_inverse=True)[1].reshape(-1).astype(np.int64)
        return number, "calls of the component"
    words = [calls.texts[name][places] for name in ("kind", "axis")]
    symbols = alike([calls.sizes["q_len"][places], calls.sizes["kv_len"][places], *words])[1]
    period = find_period(symbols)
    if period is not None and period.covered >= _ROUGHLY * len(places) and not period.edits:
        at = np.arange(len(places))
        inside = (at >= period.start) & (at < period.end)
        # A run that the recording cuts off would have too few calls.
        inside &= at < period.start + period.covered // period.length * period.length
        run = np.where(inside, (at - period.start) // period.length, NONE)
        return run.astype(np.int64), "the pattern that the calls repeat"
    return np.zeros(len(places), dtype=np.int64), "the whole trace counts as one step"
