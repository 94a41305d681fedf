"""Figures worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from genscope.analysis.attention import attention_calls
from genscope.analysis.flops.attention import attention_flops
from genscope.analysis.flops.count import counted
from genscope.analysis.flops.inputs import Cost, read_op
from genscope.analysis.flops.registry import ROWS, is_free, row_of
from tests.analysis.flops.support import BF16, FLOAT, LONG, by_op, cost, op, recorded, seen
from tests.trace.support import event, read

SCALAR, NUMBERS = "Scalar", "ScalarList"


def conv(
    inputs: list[str] | None, weight: list[int], x: list[int]
) -> tuple[int | None, int | None]:
    dims = [x, weight, [], [], [], [], [], [], []]
    types = [FLOAT, FLOAT, "", NUMBERS, NUMBERS, NUMBERS, SCALAR, NUMBERS, SCALAR]
    found = cost("aten::convolution", dims, types, inputs)
    assert found is not None
    return found.flops, found.moved


@pytest.mark.parametrize(
    ("x", "weight", "values", "result", "multiplications"),
    [
        # 8 x 8, stride 2, padding 1, kernel 3: 4 x 4 of 6 channels, each of 4 · 3 · 3.
        ([2, 4, 8, 8], [6, 4, 3, 3], "[2, 2];[1, 1];[1, 1];False;[0, 0];1", [2, 6, 4, 4], 4 * 9),
        # In two groups each result sees 2 channels.
        ([2, 4, 8, 8], [6, 2, 3, 3], "[2, 2];[1, 1];[1, 1];False;[0, 0];2", [2, 6, 4, 4], 2 * 9),
        # Dilation 2 makes a kernel of 3 five wide.
        ([1, 1, 9], [1, 1, 3], "[1];[0];[2];False;[0];1", [1, 1, 5], 3),
        ([1, 2, 4, 6, 8], [3, 2, 1, 3, 3], "[1];[0];[1];False;[0];1", [1, 3, 4, 4, 6], 2 * 9),
    ],
)
def test_convolution(
    x: list[int], weight: list[int], values: str, result: list[int], multiplications: int
) -> None:
    def size(dims: list[int]) -> int:
        return int(torch.Size(dims).numel())

    flops, moved = conv(["", "", "", *values.split(";")], weight, x)
    assert flops == 2 * size(result) * multiplications
    assert moved == 4 * (size(x) + size(weight) + size(result))


def test_transposed_convolution() -> None:
    """2 · 4 · 8 · 8 elements go to 3 channels of a 2 x 2 kernel each; the result is 16 x 16."""
    values = ["", "", "", "[2, 2]", "[0, 0]", "[1, 1]", "True", "[0, 0]", "1"]
    flops, moved = conv(values, [4, 3, 2, 2], [2, 4, 8, 8])
    assert flops == 2 * (2 * 4 * 8 * 8) * (3 * 2 * 2)
    assert moved == 4 * (2 * 4 * 8 * 8 + 4 * 3 * 2 * 2 + 2 * 3 * 16 * 16)


def test_a_stride_that_was_not_recorded(tmp_path: Path) -> None:
    """What takes the result tells its size: here 4 x 4, so the stride was 2."""
    trace = read(
        tmp_path,
        [
            op("aten::convolution", [[2, 8, 8, 8], [8, 8, 3, 3]], ts=0, dur=10),
            op("aten::contiguous", [[2, 8, 8, 8]], ts=1, dur=2),
            op("aten::add_", [[2, 8, 4, 4], [1, 8, 1, 1]], ts=12, dur=2),
        ],
    )
    assert by_op(trace, counted(trace))["aten::convolution"] == 2 * (2 * 8 * 4 * 4) * (8 * 9)


def test_a_stride_that_nothing_tells_is_unknown(tmp_path: Path) -> None:
    trace = read(tmp_path, [op("aten::convolution", [[2, 4, 8, 8], [6, 4, 3, 3]])])
    assert by_op(trace, counted(trace)) == {"aten::convolution": -1}


@pytest.mark.parametrize(
    ("name", "dims", "flops", "elements"),
    [
        ("aten::mm", [[3, 4], [4, 5]], 2 * 3 * 4 * 5, 12 + 20 + 15),
        ("aten::addmm", [[5], [3, 4], [4, 5]], 2 * 3 * 4 * 5, 12 + 20 + 15 + 5),
        ("aten::bmm", [[2, 3, 4], [2, 4, 5]], 2 * 2 * 3 * 4 * 5, 2 * (12 + 20 + 15)),
        ("aten::linear", [[2, 3, 4], [5, 4], [5]], 2 * 6 * 4 * 5, 24 + 20 + 30 + 5),
        ("aten::mv", [[3, 4], [4]], 2 * 3 * 4, 12 + 4 + 3),
        ("aten::mul", [[2, 3, 4], [3, 1]], 24, 24 + 3 + 24),
        ("aten::silu", [[2, 3]], 5 * 6, 12),
        ("aten::native_layer_norm", [[2, 8], [], [8], [8]], 8 * 16, None),
        ("aten::_softmax", [[2, 8], [], []], 5 * 16, 32),
        ("aten::sum", [[2, 8], [], []], 16, 16 + 1),
        ("aten::copy_", [[2, 8], [2, 8]], 0, 32),
        ("aten::cat", [[[2, 3], [2, 5]], []], 0, None),
        ("sgl_kernel::silu_and_mul", [[4, 6], [4, 12]], 6 * 24, 24 + 48),
        ("aiter::add_rmsnorm", [[2, 8]] * 4 + [[8]], 5 * 16, 64 + 8),
    ],
)
def test_by_hand(name: str, dims: list[object], flops: int, elements: int | None) -> None:
    found = cost(name, dims)
    assert found is not None
    assert found.flops == flops
    if elements is not None:
        assert found.moved == 2 * elements


def test_dtypes_and_values_count() -> None:
    """A comparison writes bytes of truth; whole numbers take no floating-point operations."""
    compared = cost("aten::gt", [[100], []], [FLOAT, SCALAR])
    assert compared is not None
    assert (compared.flops, compared.moved) == (100, 400 + 100)
    added = cost("aten::add", [[100], [100], []], [LONG, LONG, SCALAR])
    assert added is not None
    assert (added.flops, added.moved) == (0, 2400)
    summed = cost("aten::sum", [[4, 8], [], []], [FLOAT, NUMBERS, SCALAR], ["", "[-1]", "False"])
    assert summed is not None
    assert summed.moved == 4 * (32 + 4)
    rows = cost("aten::embedding", [[1000, 8], [3, 2]], [BF16, LONG])
    assert rows is not None
    assert (rows.flops, rows.moved) == (0, 6 * 8 + 2 * (6 * 8 * 2))


@pytest.mark.parametrize(
    ("dims", "types"),
    [
        ([[3, 4], [5, 6]], BF16),
        ([[3, -4], [4, 5]], BF16),
        ([[2**40, 2**40], [2**40, 2**40]], BF16),
        ([], BF16),
        ([[], []], BF16),
        ([[[]], {"a": 1}], [3, None]),
    ],
)
def test_inputs_that_cannot_be(dims: list[object], types: object, tmp_path: Path) -> None:
    """They are unknown, never 0, and never an error."""
    made = event("aten::mm", args={"Input Dims": dims, "Input type": types})
    work = counted(read(tmp_path, [made]))
    assert work.flops.tolist() == [-1]


def test_work_counts_once() -> None:
    """linear, addmm and the copies inside are one product; a softmax and its inner op one."""
    x, weight, bias = torch.randn(2, 3, 8), torch.randn(5, 8), torch.randn(5)
    trace = recorded(lambda: torch.softmax(F.linear(x, weight, bias), -1))
    found = by_op(trace, counted(trace))
    assert sum(found.values()) == 2 * 6 * 8 * 5 + 5 * 30
    assert found.keys() == {"aten::addmm", "aten::_softmax"}


def test_an_op_that_contains_none_counts_itself(tmp_path: Path) -> None:
    trace = read(tmp_path, [op("aten::linear", [[2, 3, 4], [5, 4], []])])
    assert by_op(trace, counted(trace)) == {"aten::linear": 2 * 6 * 4 * 5}


def test_the_registry_holds_together() -> None:
    """Every row says what it counts, and no op is both counted and known to do nothing."""
    for row in ROWS:
        assert row.says
        assert row.source
    for name in ("aten::view", "aten::transpose", "aten::empty", "aten::contiguous", "aten::to"):
        assert is_free(name)
        assert row_of(name) is None
    for name in ("aten::add_", "aten::_foreach_add_", "aten::add.Tensor", "prims::add"):
        assert row_of(name) == row_of("aten::add")
    assert row_of("mine::add") is None


def causal_pairs(q: int, kv: int) -> int:
    return sum(max(kv - q + row + 1, 0) for row in range(q))


def test_causal_attention_counts_what_is_seen() -> None:
    q = torch.randn(2, 4, 6, 8)
    work = seen(lambda: F.scaled_dot_product_attention(q, q, q, is_causal=True))
    assert work.flops.sum() == 2 * 4 * causal_pairs(6, 6) * 2 * (8 + 8)
    assert work.plain_flops.sum() == 2 * 4 * 36 * 2 * (8 + 8)


def flash(q: int, kv: int, heads: int, kv_heads: int, causal: bool) -> dict[str, object]:
    """An attention op of a library: 3 sequences, heads of 16."""
    dims = [[3, q, heads, 16], [3, kv, kv_heads, 16], [3, kv, kv_heads, 16], [], [], []]
    return op(
        "flash_attn::_flash_attn_forward",
        dims,
        BF16,
        ["", "", "", "0.", "0.25", str(causal), "-1", "-1"],
    )


def test_causal_attention_to_a_cache(tmp_path: Path) -> None:
    """4 new queries see 10 … 13 keys each; 8 heads share 2 of keys, which are read once."""
    trace = read(tmp_path, [flash(4, 13, 8, 2, causal=True)])
    work = counted(trace)
    assert causal_pairs(4, 13) == 10 + 11 + 12 + 13
    assert work.flops.tolist() == [3 * 8 * 46 * 2 * 32]
    assert work.moved.tolist() == [2 * 3 * (8 * 4 * 32 + 2 * 13 * 32)]
    (full,) = counted(read(tmp_path, [flash(4, 13, 8, 2, causal=False)])).flops.tolist()
    assert full == 3 * 8 * 4 * 13 * 2 * 32


def test_sequences_of_several_lengths_are_bounded(tmp_path: Path) -> None:
    """3 sequences of 20 tokens in all, the longest 10: at most 20 queries meet 10 keys."""
    dims = [[20, 8, 16], [20, 8, 16], [20, 8, 16], [4], [4]]
    values = ["", "", "", "", "", "10", "10", "0.", "0.25", "False"]
    trace = read(tmp_path, [op("flash_attn::_flash_attn_varlen_forward", dims, BF16, values)])
    work = counted(trace)
    exact = 2 * 32 * 8
    assert work.flops.tolist() == [20 * 10 * exact]
    assert ("lengths_bounded", 1) in [note[:2] for note in work.notes]
    assert attention_flops(attention_calls(trace)).tolist() == work.flops.tolist()


def test_a_generated_kernel(tmp_path: Path) -> None:
    """gelu (5) and the bias (1) on each of 64 x 32 elements; its operands and nothing else move."""
    name = "triton_poi_fused_addmm_gelu_view_15"
    made = op(name, [[64, 32], [32], []], [BF16, BF16, SCALAR], ["", "", "2048"])
    work = counted(read(tmp_path, [made]))
    assert work.flops.tolist() == [6 * 2048]
    assert work.moved.tolist() == [2 * (2048 + 32)]


_NAMES = [
    f"aten::{name}" if "::" not in name else name.removeprefix("::")
    for row in ROWS
    for name in row.ops.split()
]
_SHAPE = st.lists(st.sampled_from([0, 1, 2, 3, 7, 64, 2**33]), max_size=6)
_INPUT = st.one_of(_SHAPE, st.lists(_SHAPE, max_size=3), st.none(), st.text(max_size=2))
_TYPE = st.sampled_from(["", "float", BF16, LONG, "bool", "Scalar", "ScalarList", "odd", None])
_VALUE = st.sampled_from(
    ["", "True", "False", "0", "1", "-3", "[]", "[2, 2]", "[0]", "[-9]", "[1e9, nan]", "[2., 2.]",
     "[[", "[99999999999999999999]", "[True, False]", "[281474976710655, 281474976710655]"]
)  # fmt: skip


@given(
    st.sampled_from(_NAMES),
    st.lists(st.tuples(_INPUT, _TYPE, _VALUE), max_size=12),
)
def test_no_input_is_an_error(name: str, inputs: list[tuple[object, object, object]]) -> None:
    """Traces are not to be trusted: what an op cannot have had makes it unknown."""
    texts = [json.dumps(list(column)) for column in zip(*inputs, strict=True)]
    found = read_op(name, *(texts or ["[]", "[]", "[]"]))
    place = row_of(name)
    assert found is not None
    assert place is None or isinstance(ROWS[place].count(found), Cost | None)
