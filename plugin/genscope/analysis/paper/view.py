"""The verdicts: each claim beside what was measured of it, setting by setting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from genscope.analysis.paper.cited import ABOUT, cited
from genscope.analysis.paper.claims import Claim, Stated, paper
from genscope.analysis.paper.drawn import panels
from genscope.analysis.paper.figures import Figures
from genscope.analysis.paper.found import Measured
from genscope.analysis.paper.measures import MEASURES, needs
from genscope.analysis.paper.panels import PaperFigures
from genscope.analysis.paper.recordings import PAPER_SCALE, Place
from genscope.analysis.paper.results import (
    CONTRADICTS,
    NOT_HERE,
    SAME,
    WITHIN,
    ClaimRow,
    LeftOut,
    ModelTaxonomy,
    Outcome,
    PaperReport,
    Setting,
)
from genscope.analysis.paper.runs import Runs
from genscope.trace.errors import TraceWarning

FOLDER = "runs/suite"
"""Where the suite is recorded unless another folder is named."""

_OF_BUILDING = ("parameters", "layers", "widths", "resolutions")
"""Claims that the taxonomy answers, without a run."""


def report(
    runs: Sequence[Figures],
    taxonomy: Sequence[ModelTaxonomy] = (),
    left_out: Sequence[LeftOut] = (),
    *,
    folder: str = FOLDER,
) -> PaperReport:
    """Set the paper's claims beside what `runs` and `taxonomy` show; neither has to be complete.

    `folder` is where further runs would be recorded to.
    """
    groups: dict[tuple[str, str, str | None], list[Figures]] = {}
    for run in runs:
        groups.setdefault(run.setting, []).append(run)
    # The paper's own scale first.
    order = sorted(groups, key=lambda key: (key[0] != PAPER_SCALE, key[1], key[2] or ""))
    settings = [Runs(groups[key], taxonomy) for key in order]
    built = Runs([], taxonomy)
    rows = [_row(claim, _outcomes(claim, settings, built, order)) for claim in paper().claims]
    listed = [
        Setting(
            scale=key[0],
            hardware=key[1],
            dtype=key[2],
            runs=len(one.all),
            pairs=len(one.usual_pairs()),
        )
        for key, one in zip(order, settings, strict=True)
    ]
    counts = Counter(row.verdict for row in rows)
    return PaperReport(
        source=paper().source,
        models=paper().models,
        settings=listed,
        rows=rows,
        verdicts=dict(
            Counter(outcome.verdict for row in rows for outcome in row.outcomes).most_common()
        ),
        claims=dict(counts.most_common()),
        sentence=_sentence(counts, listed),
        figures=PaperFigures(
            about=list(ABOUT),
            cited=cited(),
            measured=[
                panels(place, one, paper().models, Place(folder, *key))
                for place, (one, key) in enumerate(zip(settings, order, strict=True))
            ]
            or [panels(-1, built, paper().models, Place(folder))],
        ),
        taxonomy=list(taxonomy),
        published=paper().published,
        disagreements=paper().disagreements,
        left_out=list(left_out),
        warnings=_warnings(runs),
    )


def _row(claim: Claim, outcomes: list[Outcome]) -> ClaimRow:
    told = [one for one in outcomes if one.verdict != NOT_HERE]
    first = min((one.setting or 0 for one in told), default=0)
    verdicts = {one.verdict for one in told if (one.setting or 0) == first}
    verdict = next((one for one in (CONTRADICTS, SAME, WITHIN) if one in verdicts), NOT_HERE)
    return ClaimRow(claim=claim, outcomes=outcomes, verdict=verdict)


def _sentence(claims: Counter[str], settings: Sequence[Setting]) -> str:
    """How many claims hold, and on what."""
    if not settings:
        return f"No run of the suite is here to set the paper's {claims.total()} claims beside."
    holds = claims[WITHIN] + claims[SAME]
    where = " and ".join(dict.fromkeys(f"{one.hardware} at {one.scale} scale" for one in settings))
    return (
        f"{holds} of the paper's {claims.total()} claims hold on {where}: {claims[WITHIN]} within "
        f"what it states, {claims[SAME]} in the same direction. {claims[CONTRADICTS]} "
        f"{'does' if claims[CONTRADICTS] == 1 else 'do'} not, {claims[NOT_HERE]} cannot be told "
        "here."
    )


def _warnings(runs: Sequence[Figures]) -> list[TraceWarning]:
    if runs:
        return []
    return [TraceWarning(code="no_runs", count=1, message="No run of the suite was found.")]


def _outcomes(
    claim: Claim,
    settings: Sequence[Runs],
    built: Runs,
    keys: Sequence[tuple[str, str, str | None]],
) -> list[Outcome]:
    if claim.out_of_reach is not None:
        return [_nothing(claim, claim.out_of_reach)]
    measure = MEASURES[claim.id]
    found: list[Outcome] = []
    if claim.id in _OF_BUILDING:
        found = [
            outcome
            for one in measure(built)
            if (outcome := _judged(claim, one, None, full=True)) is not None
        ]
    else:
        for place, (runs, key) in enumerate(zip(settings, keys, strict=True)):
            full = key[0] == PAPER_SCALE
            found += [
                outcome
                for one in measure(runs)
                if (outcome := _judged(claim, one, place, full=full)) is not None
            ]
    seen = {outcome.of for outcome in found}
    missing = [stated.of for stated in claim.values if stated.of not in seen]
    if missing or not found:
        found.append(_nothing(claim, f"it needs {needs(claim.id)}", missing))
    return found


def _nothing(claim: Claim, why: str, of: Sequence[str] = ()) -> Outcome:
    return Outcome(
        of=", ".join(of or [stated.of for stated in claim.values]),
        setting=None,
        measured=None,
        measured_words=None,
        ratio=None,
        verdict=NOT_HERE,
        why=why,
    )


def _judged(claim: Claim, found: Measured, place: int | None, *, full: bool) -> Outcome | None:
    """Judge one measured value; None where the claim says nothing of it."""
    stated = next((one for one in claim.values if one.of == found.of), None)
    if stated is None:
        return None
    why = found.why
    if (claim.structural or full) and _agrees(claim, stated, found):
        verdict = WITHIN
    elif found.same is not None:
        verdict = SAME if found.same else CONTRADICTS
    elif claim.structural or full:
        verdict = CONTRADICTS
    else:
        verdict, why = NOT_HERE, f"{why}; its size is that of models at paper scale"
    if verdict == CONTRADICTS and not claim.structural and not full:
        why = f"{why}; the claim is of models at full size on a GPU"
    return Outcome(
        of=found.of,
        setting=place,
        measured=found.value,
        low=found.low,
        high=found.high,
        measured_words=found.words,
        ratio=None if found.value is None or not stated.value else found.value / stated.value,
        verdict=verdict,
        why=why,
    )


def _agrees(claim: Claim, stated: Stated, found: Measured) -> bool:
    """Whether what was measured is what is stated, within the claim's tolerance."""
    if stated.words is not None:
        return found.words == stated.words
    lows = [value for value in (found.value, found.low) if value is not None]
    highs = [value for value in (found.value, found.high) if value is not None]
    if not lows or not highs:
        return False
    least, most = stated.low, stated.high
    if stated.value is not None:
        slack = abs(stated.value) * claim.tolerance
        least = stated.value - slack
        most = stated.value + slack
    above = least is None or min(lows) >= least
    return above and (most is None or max(highs) <= most)
