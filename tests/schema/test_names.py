from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genscope.schema import (
    AttentionCall,
    Call,
    ComponentCall,
    ModuleCall,
    attention_name,
    component_name,
    module_name,
    parse,
)
from tests.schema import texts

NAMING: dict[type, Callable[[Any], str]] = {
    ComponentCall: component_name,
    ModuleCall: module_name,
    AttentionCall: attention_name,
}


def name_of(call: Call) -> str:
    return NAMING[type(call)](call)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (ComponentCall(0, "unet", 3), "genscope.component#0 unet step=3"),
        (ComponentCall(0, "vae"), "genscope.component#0 vae"),
        (ModuleCall(7, "down_blocks.0.attn1"), "genscope.module#7 down_blocks.0.attn1"),
        (ModuleCall(7, ""), "genscope.module#7"),
        (
            AttentionCall(12, "cross", batch=2, q_len=4096, kv_len=77),
            "genscope.attention#12 cross q=4096 kv=77 b=2",
        ),
        (
            AttentionCall(1, q_len=9, q_tokens=30, chain=True),
            "genscope.attention#1 q=9 tokens=30 chain=1",
        ),
    ],
)
def test_a_person_can_read_a_name(call: Call, name: str) -> None:
    assert name_of(call) == name
    assert parse(name) == call


@given(texts.calls)
def test_a_call_is_read_back_from_its_name(call: Call) -> None:
    name = name_of(call)
    assert name.isascii() and name.isprintable()
    assert '"' not in name and "\\" not in name
    assert parse(name) == call


@given(st.text(alphabet="aé%模.\n", min_size=401, max_size=3000))
def test_of_a_long_path_the_end_is_kept(path: str) -> None:
    name = module_name(ModuleCall(5, path))
    assert len(name) < 500
    read = parse(name)
    assert isinstance(read, ModuleCall) and read.module == 5
    assert read.path.startswith("...")
    assert path.endswith(read.path[3:])
    assert len(read.path) > 40


def test_what_is_no_text_does_not_stop_a_name() -> None:
    assert parse(module_name(ModuleCall(1, "a\ud800b"))) == ModuleCall(1, "a?b")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("genscope.component#3 unet step=1 later=5 step=2", ComponentCall(3, "unet", 1)),
        ("genscope.attention#3 q=many kv=12 q_layout=bhsd", AttentionCall(3, kv_len=12)),
        ("genscope.attention#3 self again q=-4", AttentionCall(3, "self")),
        ("genscope.module#3 %C3%28%ff", ModuleCall(3, "\ufffd(\ufffd")),
    ],
)
def test_what_a_later_version_adds_is_skipped(name: str, call: Call) -> None:
    assert parse(name) == call


@pytest.mark.parametrize(
    "name",
    [
        "", "genscope.", "genscope.module", "genscope.module#", "genscope.module#x a",
        "genscope.module#-1 a", "genscope.module#12345678901 a", "genscope.layer#1 a",
        "genscope.module#\u0661 a", "aten::genscope.module#1 a", "genscope.module#1" + "a" * 9000,
    ],
)  # fmt: skip
def test_other_names_are_none_of_ours(name: str) -> None:
    assert parse(name) is None


@given(
    st.text(max_size=60)
    | st.text(alphabet="0123456789= %#abq", max_size=60).map(lambda t: f"genscope.attention#{t}")
)
def test_no_name_raises(name: str) -> None:
    parse(name)
