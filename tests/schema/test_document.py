from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.schema import (
    VERSION,
    Component,
    Document,
    Module,
    SchemaError,
    Site,
    Workload,
    dumps,
    loads,
)
from tests.schema import texts


@given(texts.documents)
def test_a_document_is_read_back_as_it_was(document: Document) -> None:
    text = dumps(document)
    assert "\\" not in text
    assert text.isascii() and text.isprintable()
    # NaN is not equal to itself, so what is compared is how they print.
    assert repr(loads(text)) == repr(document)
    assert repr(loads(json.loads(text))) == repr(document)


def test_the_text_is_small_and_legible() -> None:
    document = Document(components=(Component(0, "unet", parameters=7),), modules=(Module(0, "a"),))
    assert json.loads(dumps(document)) == {
        "version": VERSION,
        "workload": {},
        "components": [{"id": 0, "name": "unet", "parameters": 7}],
        "modules": [{"id": 0, "path": "a"}],
        "sites": [],
    }


class Odd:
    """What a library may hand out where a number or text is expected."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_values_of_other_types_do_not_spoil_a_document() -> None:
    workload: Any = Workload(
        model=Odd(),  # type: ignore[arg-type]
        batch=2.5,  # type: ignore[arg-type]
        steps="many",  # type: ignore[arg-type]
        dtype=16,  # type: ignore[arg-type]
        image_size=[8, 9],  # type: ignore[arg-type]
        extra={"list": [1, 2], "none": None, 3: 2**80, "odd": Odd()},  # type: ignore[dict-item]
    )
    document = loads(dumps(Document(workload=workload)))
    assert document.workload == Workload(
        model="Odd",
        dtype="16",
        image_size=(8, 9),
        extra={"list": "[1, 2]", "3": "0x100000000000000000000", "odd": "Odd"},
    )


def test_unknown_fields_are_skipped() -> None:
    document = loads(
        {
            "version": VERSION,
            "colour": "red",
            "workload": {"model": "sd", "mood": 1},
            "sites": [{"id": 0, "depth": []}],
        }
    )
    assert document == Document(workload=Workload(model="sd"), sites=(Site(0),))


def test_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    newer: dict[str, Any] = {
        "version": VERSION + 1,
        "workload": {"model": "sd", "batch": "2 of 4"},
        "components": [{"id": 0, "name": "unet"}, {"key": "vae"}],
        "notes": 5,
    }
    assert loads(newer) == Document(
        workload=Workload(model="sd"), components=(Component(0, "unet"),), version=VERSION + 1
    )
    with pytest.raises(SchemaError, match=r"workload\.batch is a str"):
        loads({**newer, "version": VERSION})


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "the document is null"),
        ([], "the document is a list"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ({"version": "1"}, "version is a str"),
        ({"version": 10**30}, "version is too large"),
        ({"components": {}}, "components is a dict"),
        ({"components": [7]}, r"components\[0\] is a int"),
        ({"components": [{"id": 1}]}, r"components\[0\] lacks .*name"),
        ({"modules": [{"id": -1, "path": ""}]}, r"modules\[0\].id is below 0"),
        ({"sites": [{"id": True}]}, r"sites\[0\].id is a bool"),
        ({"sites": [{"id": 1}, {"id": 1}]}, r"sites\[1\] has the id of another"),
        ({"workload": {"image_size": [1]}}, "image_size has 1 numbers"),
        ({"workload": {"extra": {"a": {}}}}, "extra.a is a dict"),
        ({"notes": "text"}, "notes is a str"),
        ({"libraries": {"torch": 2}}, "libraries.torch is a int"),
    ],
)
def test_an_unusable_document_says_what_is_wrong(found: object, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        loads(found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "workload", "components", "id", "name", "sites", "extra"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_gives_a_document_or_one_error(found: object) -> None:
    try:
        document = loads(found)
    except SchemaError:
        return
    assert repr(loads(dumps(document))) == repr(document)
