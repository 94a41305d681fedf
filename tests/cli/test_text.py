from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from genscope.analysis.compare import compare
from genscope.analysis.results import Operators
from genscope.cli import comparison, text
from genscope.cli import operators as view
from genscope.cli.document import Document, Limits
from tests.cli.made import MS, operators

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
LONG = "void cutlass::Kernel2<" + "cutlass_80_tensorop_f16_" * 20 + ">(Params)"


def draw(document: Document, *, width: int = 120, colours: str | None = None) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        color_system=colours,  # type: ignore[arg-type]
        force_terminal=colours is not None,
        markup=False,
        highlight=False,
        emoji=False,
    )
    text.render(document, console)
    return file.getvalue()


def report(result: Operators, limits: Limits | None = None) -> Document:
    return view.document(result, limits or Limits())


def test_the_headline_names_the_largest_category_and_its_share() -> None:
    shown = draw(report(operators({"Linear": 3 * MS, "Attention": 9 * MS})))
    assert shown.splitlines()[0] == "Attention takes 75.0 % of device time: 9.00 ms of 12.0 ms."


def test_on_a_cpu_the_basis_is_said_and_launches_are_not_shown() -> None:
    shown = draw(report(operators({"Linear": 3 * MS}, basis="cpu_self")))
    assert "Linear takes 100.0 % of CPU self time" in shown
    assert "launches" not in shown


def test_without_any_time_the_headline_says_so() -> None:
    assert draw(report(operators({}))).startswith("There is no device time in this trace.")


def test_unlinked_time_is_said_with_its_share() -> None:
    shown = draw(report(operators({"Attention": 10 * MS}, unlinked={"Attention": 3 * MS})))
    assert "3.00 ms, 30.0 % of device time" in shown


def test_markup_and_emoji_in_a_name_are_printed_as_they_are() -> None:
    name = "[red]k[/red][link=http://a]b[/][/bold] :smile: \\[x]"
    for colours in (None, "truecolor"):
        result = operators({"Linear": MS}, names={"Linear": name}, warnings=("[bold]w[/bold]",))
        shown = draw(report(result), colours=colours)
        assert name in shown
        assert "[bold]w[/bold]" in shown


@pytest.mark.parametrize("width", [40, 80, 200])
def test_control_characters_in_names_never_reach_the_terminal(width: int) -> None:
    evil = "k\x1b[2J\x1b]0;title\x07\r\n\x9b31m\u202eback\x00"
    result = operators({evil: MS}, names={evil: evil}, warnings=(evil,))
    result.trace = evil
    result.modules[0].path = evil
    result.passes[0].categories = {evil: MS}
    assert result.devices[0].name
    result.devices[0].name = evil
    both = compare([(evil, result), (evil, result)])
    for document in (report(result), comparison.document(both)):
        plain = COLOUR.sub("", draw(document, width=width, colours="truecolor"))
        assert all(c.isprintable() or c == "\n" for c in plain)


def test_a_long_name_is_shortened_in_its_middle_to_the_width() -> None:
    shown = draw(report(operators({"Linear": MS}, names={"Linear": LONG})), width=100)
    (line,) = [line for line in shown.splitlines() if "cutlass" in line]
    assert cell_len(line) <= 100
    assert "void cutlass::Ke" in line and ">(Params)" in line and "…" in line
    assert LONG in draw(report(operators({"Linear": MS}, names={"Linear": LONG})), width=900)


def test_wide_characters_keep_the_columns_in_line() -> None:
    result = operators({"Linear": MS, "Attention": MS}, names={"Linear": "注意" * 60})
    lines = draw(report(result), width=100).split("kernel\n", 1)[1].splitlines()
    rows = [line for line in lines if "1.00 ms" in line and "50.0 %" in line]
    ends = {cell_len(line[: line.index("50.0 %")]) for line in rows}
    assert len(rows) >= 6
    assert len(ends) == 1


def test_a_terminal_of_80_columns_is_wide_enough() -> None:
    result = operators(
        {"Normalization": 123_456_789},
        names={"Normalization": LONG},
        unlinked={"Normalization": 23_456_789},
    )
    assert max(map(cell_len, draw(report(result), width=80).splitlines())) <= 80
    assert "rule" not in draw(report(result), width=80)
    assert "rule" in draw(report(result), width=100)


def test_on_a_narrow_terminal_no_figure_is_cut() -> None:
    result = operators({"Normalization": 123_456_789}, names={"Normalization": LONG})
    shown = draw(report(result), width=20)
    assert shown.count("123 ms") >= 6


def test_categories_are_coloured_and_without_colours_they_are_letters() -> None:
    result = operators({"Attention": 3 * MS, "Convolution": MS})
    coloured = draw(report(result), colours="truecolor")
    assert "\x1b[38;2;213;94;0m█" in coloured
    assert "\x1b[38;2;0;114;178m█" in coloured
    plain = draw(report(result), width=40)
    assert "A" * 30 + "C" * 10 in plain.splitlines()
    assert "A Attention" in plain


def test_depth_and_rows_limit_the_tree_and_what_is_left_out_is_counted() -> None:
    result = operators({"Attention": 10 * MS})
    ops = result.categories[0].children
    ops += [
        type(ops[0])(
            name=f"aten::op{i}",
            level="op",
            sum_ns=i * MS,
            busy_ns=i * MS,
            unlinked_ns=0,
            share=i / 10,
            launches=1,
            host_launches=1,
            calls=1,
        )
        for i in range(1, 4)
    ]
    assert "aten::attention" not in draw(report(result, Limits(depth=1)))
    shown = draw(report(result, Limits(depth=2, rows=2)))
    assert "aten::attention" in shown and "attention_kernel" not in shown
    assert "aten::op3" in shown and "aten::op2" not in shown
    (rest,) = [line for line in shown.splitlines() if "2 more ops" in line]
    assert "3.00 ms" in rest and "30.0 %" in rest


def test_the_order_is_by_time() -> None:
    result = operators({"Attention": 10 * MS})
    (op,) = result.categories[0].children
    big = type(op)(
        name="aten::big",
        level="op",
        sum_ns=90 * MS,
        busy_ns=1,
        unlinked_ns=0,
        share=0.9,
        launches=1,
        host_launches=1,
        calls=1,
    )
    result.categories[0].children.append(big)
    shown = draw(report(result))
    assert shown.index("aten::big") < shown.index("aten::attention")


def test_warnings_stand_in_plain_words_below_the_tables() -> None:
    result = operators({"Linear": MS}, warnings=("The file ends early.",))
    assert draw(report(result)).rstrip().endswith("Warning: The file ends early.")


def test_a_comparison_says_what_changed_and_what_is_largest_now() -> None:
    base = operators({"Attention": 888 * MS, "Convolution": 200 * MS, "Linear": 125 * MS})
    fused = operators({"Attention": 195 * MS, "Convolution": 205 * MS, "Linear": 125 * MS})
    shown = draw(comparison.document(compare([("base", base), ("fused", fused)])))
    assert shown.startswith(
        "Device time 1213 → 525 ms, 2.31x; Attention 888 → 195 ms, 4.55x; "
        "largest now Convolution, 39.0 %."
    )
    # Of the categories, and of the ops below them.
    totals = [line.split() for line in shown.splitlines() if line.startswith("Total")]
    assert totals == 2 * [["Total", "1.21", "s", "525", "ms", "-688", "ms", "2.31x"]]


def test_of_several_runs_the_headline_gives_each_ones_speedup() -> None:
    base, half = (operators({"Attention": n * MS}) for n in (10, 5))
    runs = compare([("base", base), ("half", half), ("same", base)])
    assert draw(comparison.document(runs), width=200).splitlines()[0] == (
        "Against the device time of base, 10.0 ms: half 2.00x, largest Attention, 100.0 %; "
        "same 1.00x, largest Attention, 100.0 %."
    )


def test_bars_of_a_comparison_are_normalised_to_the_base() -> None:
    base, half, double = (operators({"Attention": n * MS}) for n in (10, 5, 20))
    runs = compare([("base", base), ("half", half), ("double", double)])
    bars = [
        line.count("A")
        for line in draw(comparison.document(runs), width=100).splitlines()
        if "AAA" in line
    ]
    assert bars[2] > 60
    assert bars[1] == pytest.approx(bars[0] / 2, abs=1)
    assert bars[2] == pytest.approx(bars[0] * 2, abs=1)


def test_runs_on_another_basis_are_not_given_a_speedup() -> None:
    gpu = operators({"Attention": 10 * MS})
    cpu = operators({"Attention": 5 * MS}, basis="cpu_self")
    shown = draw(comparison.document(compare([("gpu", gpu), ("cpu", cpu)])))
    assert shown.startswith("Nothing can be compared with the device time of gpu.")
    assert "2.00x" not in shown and "-5.00 ms" not in shown
    assert "Warning: Not compared with gpu" in shown
