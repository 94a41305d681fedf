"""What a file name tells, and the labels that people pick runs by."""

from __future__ import annotations

import pytest

from genscope.tensorboard import names


@pytest.mark.parametrize(
    ("file", "worker", "span"),
    [
        ("node1_42.1700000000000.pt.trace.json", "node1_42", 1700000000000),
        ("node1_42.1700000000000.pt.trace.json.gz", "node1_42", 1700000000000),
        ("rank-0.Apr_03_18_51_38.1102.pt.trace.json.gz", "rank-0.Apr_03_18_51_38", 1102),
        ("my.host.name_7.pt.trace.json", "my.host.name_7", None),
    ],
)
def test_torch_naming(file: str, worker: str, span: int | None) -> None:
    assert names.parse(file) == names.Name(worker, span, is_torch=True)


@pytest.mark.parametrize("file", ["trace.json", "step_3.json.gz"])
def test_plain_json_may_be_a_trace(file: str) -> None:
    name = names.parse(file)
    assert name is not None
    assert not name.is_torch


@pytest.mark.parametrize(
    "file", ["t.pftrace", "t.pftrace.gz", "t.perfetto-trace", "w.12.pt.trace.pftrace"]
)
def test_native_traces_have_names_of_their_own(file: str) -> None:
    name = names.parse(file)
    assert name is not None
    assert name.is_native
    assert not name.is_torch


@pytest.mark.parametrize(
    "file",
    ["events.out.tfevents.17.host", "trace.json.tmp", "a.pt.trace.json.gz.part", "x.pt", ".json"],
)
def test_other_names_are_no_traces(file: str) -> None:
    assert names.parse(file) is None


def labels(*paths: str) -> list[str]:
    placed = []
    for path in paths:
        folder, _, file = path.rpartition("/")
        name = names.parse(file)
        assert name is not None
        placed.append(names.Placed(folder or names.ROOT, file, name))
    return names.labels(placed)


def test_a_folder_with_one_file_lends_it_its_name() -> None:
    assert labels("sd/math/h_1.5.pt.trace.json", "sd/flash/h_1.6.pt.trace.json") == [
        "math",
        "flash",
    ]


def test_equal_folder_names_keep_their_parents() -> None:
    assert labels("sd/math/t.json", "llama/math/t.json", "sd/flash/t.json") == [
        "sd/math",
        "llama/math",
        "flash",
    ]


def test_workers_and_spans_tell_files_of_one_folder_apart() -> None:
    assert labels(
        "train/rank0.20.pt.trace.json",
        "train/rank0.3.pt.trace.json",
        "train/rank1.4.pt.trace.json",
    ) == ["train · rank0 · span 2", "train · rank0 · span 1", "train · rank1"]


def test_spans_of_the_only_worker_go_without_its_name() -> None:
    assert labels("train/h_1.20.pt.trace.json", "train/h_1.30.pt.trace.json.gz") == [
        "train · span 1",
        "train · span 2",
    ]


def test_files_in_the_logdir_itself_are_called_by_their_own_name() -> None:
    assert labels("sam-baseline.json.gz", "sam-flash.json.gz") == ["sam-baseline", "sam-flash"]


def test_labels_are_different_where_names_say_the_same() -> None:
    made = labels("a/t.json", "a/t.json.gz", "a/t.pt.trace.json", "t.json", "t.json.gz")
    assert len(set(made)) == len(made)


def test_numbers_sort_as_people_count() -> None:
    files = ["run/rank10.json", "run/rank2.json", "2run/rank1.json"]
    assert sorted(files, key=names.natural_key) == [files[2], files[1], files[0]]
