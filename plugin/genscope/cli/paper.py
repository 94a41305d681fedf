"""The paper's claims beside what was measured, in words and tables."""

from __future__ import annotations

from collections.abc import Iterator

from genscope.analysis.paper.claims import Claim, Stated
from genscope.analysis.paper.results import Component, Outcome, PaperReport, Setting
from genscope.cli.document import Column, Document, Row, Table
from genscope.cli.formatting import amount, plural, significant
from genscope.cli.paper_figures import tables as figures

_COLOURS = 16
"""Most channels of an image or latent."""
_UNITS = {"%": " %", "x": "x", "B": " B", "power": ""}


def document(result: PaperReport) -> Document:
    """Say what holds of the paper's claims."""
    return Document(
        headline=result.sentence,
        facts=[
            ("paper", result.source),
            *((f"setting {i}", setting(one)) for i, one in enumerate(result.settings, 1)),
            *(("left out", f"{one.run}: {one.reason}") for one in result.left_out),
        ],
        tables=[
            Table(
                title="Claims",
                columns=[
                    Column("claim", text=True, ends=True),
                    *(Column(name) for name in ("paper", "measured", "ratio", "on", "verdict")),
                    Column("why", text=True, ends=True),
                ],
                rows=list(_rows(result)),
                caption="`within` agrees with the stated value; models smaller than the paper's "
                "can show no more than the same direction, but for what follows from how they are "
                "built.",
            ),
            *figures(result),
            *([_taxonomy(result)] if result.taxonomy else []),
            _published(result),
            Table(
                title="Where the paper disagrees with itself or its sources",
                columns=[Column("what", text=True, ends=True)],
                rows=[Row([text]) for text in result.disagreements],
            ),
        ],
        warnings=[warning.message for warning in result.warnings],
    )


def setting(one: Setting) -> str:
    """A setting in words."""
    return (
        f"{one.scale} scale on {one.hardware}{f', {one.dtype}' if one.dtype else ''}: "
        f"{plural(one.runs, 'run')}, {plural(one.pairs, 'pair')}"
    )


def _rows(result: PaperReport) -> Iterator[Row]:
    titles = {model.name: model.title for model in result.models}
    for row in result.rows:
        claim = row.claim
        yield Row([f"{claim.ref}: {claim.text}", *[""] * 6], strong=True)
        for outcome in row.outcomes:
            stated = next((one for one in claim.values if one.of == outcome.of), None)
            yield Row(
                [
                    titles.get(outcome.of, outcome.of),
                    "" if stated is None else paper_words(claim, stated),
                    measured_words(claim, outcome),
                    "" if outcome.ratio is None else significant(outcome.ratio),
                    "" if outcome.setting is None else str(outcome.setting + 1),
                    outcome.verdict,
                    outcome.why,
                ],
                depth=1,
            )


def paper_words(claim: Claim, stated: Stated) -> str:
    """What the paper states, with its unit."""
    unit = _UNITS.get(claim.unit, "")
    if stated.words is not None:
        return stated.words
    if stated.value is not None:
        return f"{stated.value:g}{unit}"
    if stated.low is not None and stated.high is not None:
        return f"{stated.low:g} to {stated.high:g}{unit}"
    if stated.low is not None:
        return f"over {stated.low:g}{unit}"
    return "" if stated.high is None else f"under {stated.high:g}{unit}"


def measured_words(claim: Claim, outcome: Outcome) -> str:
    """What was measured, with its unit; `–` where nothing was."""
    unit = _UNITS.get(claim.unit, "")
    if outcome.measured is not None:
        number = outcome.measured
        return f"{number:g}" if number.is_integer() and not unit else f"{significant(number)}{unit}"
    if outcome.low is not None and outcome.high is not None:
        return f"{significant(outcome.low)} to {significant(outcome.high)}{unit}"
    return outcome.measured_words or "–"


def _taxonomy(result: PaperReport) -> Table:
    titles = {model.name: model.title for model in result.models}
    return Table(
        title="Taxonomy (Table I), measured from the models as they are built",
        columns=[
            Column("model", text=True),
            *(
                Column(name)
                for name in ("parameters", "in all", "layers", "steps", "image", "frames")
            ),
            Column("widths", text=True, ends=True),
            Column("attention at sides", text=True, ends=True),
        ],
        rows=[
            Row(
                [
                    titles.get(model.model, model.model),
                    amount(main.parameters),
                    amount(model.parameters),
                    str(main.layers),
                    _maybe(model.steps),
                    _maybe(model.image_size),
                    _maybe(model.frames),
                    ", ".join(map(str, _widths(model.main, main))),
                    ", ".join(map(str, model.attention_sides)) or "–",
                ]
            )
            for model in result.taxonomy
            for main in model.components
            if main.name == model.main
        ],
        caption="Parameters, layers that attend and widths (channels of convolutions in a UNet) of "
        "the component that generates; all components in the second column.",
    )


def _widths(name: str, main: Component) -> list[int]:
    """Widths of a transformer, or of a UNet's levels: without its image or latent itself."""
    return [width for width in main.channels if width > _COLOURS] if name == "unet" else main.widths


def _maybe(value: int | None) -> str:
    return "–" if value is None else str(value)


def _published(result: PaperReport) -> Table:
    return Table(
        title="Quality against parameters (Figure 4), as published, not measured",
        columns=[
            Column("model", text=True),
            Column("parameters"),
            Column("FID on COCO"),
            Column("source", text=True),
        ],
        rows=[
            Row(
                [
                    one.model,
                    "–" if one.parameters_b is None else f"{significant(one.parameters_b)} B",
                    f"{one.fid:g}",
                    one.source,
                ]
            )
            for one in result.published
        ],
        caption="Zero-shot; less is better. Random weights have no quality, so none is measured.",
    )
