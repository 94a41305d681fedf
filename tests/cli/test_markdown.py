from __future__ import annotations

from markdown_it import MarkdownIt

from genscope.analysis.compare import compare
from genscope.cli import comparison, markdown
from genscope.cli import operators as view
from genscope.cli.document import Column, Document, Limits, Row, Table
from tests.cli.made import MS, operators

HOSTILE = [
    "a|b\\|c\\",
    "`code` ``x``",
    "<script>alert(1)</script>&lt;",
    "*bold* __init__ ~~x~~ $x$",
    "[t](javascript:x) ![i](http://a/b.png)",
    "void at::vec<float*, (int)4>(T&&, char const*) [clone .0]",
    "&emsp;",
]


def cells(text: str) -> list[str]:
    """The text of each table cell as a Markdown reader shows it."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    found = []
    for token in tokens:
        if token.type == "inline" and token.level == 4:
            assert {child.type for child in token.children or []} <= {"text", "text_special"}
            found.append("".join(child.content for child in token.children or []))
    return found


def test_a_reader_of_the_markdown_sees_each_name_as_it_is_in_the_trace() -> None:
    table = Table("t", [Column("name", text=True)], [Row([name]) for name in HOSTILE])
    assert cells(markdown.render(Document("h", tables=[table]))) == ["name", *HOSTILE]


def test_names_are_whole_and_control_characters_are_spelled_out() -> None:
    name = "k" * 3000 + "\x1b[31m\n| x |"
    result = operators({"Linear": MS}, names={"Linear": name})
    text = markdown.render(view.document(result, Limits()))
    assert "k" * 3000 + "\\\\x1b\\[31m\\\\n\\| x \\|" in text
    assert "\x1b" not in text


def test_every_line_of_a_table_has_the_same_number_of_columns() -> None:
    base = operators({"Attention": 9 * MS, "Linear": MS}, names={"Linear": "a|b"})
    runs = compare([("base", base), ("b|c", operators({"Linear": MS}))])
    for document in (view.document(base, Limits()), comparison.document(runs)):
        rendered = MarkdownIt("commonmark").enable("table").render(markdown.render(document))
        assert rendered.count("<table>") == len(document.tables)
        assert "|" not in rendered.replace("a|b", "").replace("b|c", "")


def test_headline_facts_and_warnings_are_there() -> None:
    result = operators({"Attention": 9 * MS, "Linear": MS}, warnings=("It *ends* early.",))
    text = markdown.render(view.document(result, Limits()))
    assert text.startswith("**Attention takes 90.0 % of device time: 9.00 ms of 10.0 ms.**\n")
    assert "- wall time: 20.0 ms" in text
    assert text.endswith("- It \\*ends\\* early.\n")
