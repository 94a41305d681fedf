"""Which files under a logdir are taken for traces, and what is said when there are none."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from genscope.tensorboard import files as files_module
from genscope.tensorboard.discovery import Discovery
from genscope.tensorboard.files import Entry, LocalFiles
from genscope.tensorboard.logdirs import Logdir
from genscope.tensorboard.walk import Bounds
from genscope.trace.sniff import looks_like_trace
from tests.tensorboard.support import discover, opened_files, trace_text, write
from tests.trace.protobuf import begin, end, process
from tests.trace.protobuf import trace as native


def found(folder: Path, **options: Any) -> list[str]:
    return list(discover(folder, **options).scan().files)


def test_torch_naming_at_any_depth(tmp_path: Path) -> None:
    write(tmp_path / "a/b/host_1.17.pt.trace.json")
    write(tmp_path / "a/host_1.17.pt.trace.json.gz")
    write(tmp_path / "host_1.pt.trace.json")
    assert found(tmp_path) == [
        "a/b/host_1.17.pt.trace.json",
        "a/host_1.17.pt.trace.json.gz",
        "host_1.pt.trace.json",
    ]


def test_a_file_with_torchs_name_is_listed_whatever_is_in_it(tmp_path: Path) -> None:
    write(tmp_path / "host_1.17.pt.trace.json", "")
    assert found(tmp_path) == ["host_1.17.pt.trace.json"]


def test_plain_json_is_listed_if_it_looks_like_a_trace(tmp_path: Path) -> None:
    write(tmp_path / "trace.json")
    write(tmp_path / "packed.json.gz")
    write(tmp_path / "bare.json", '[{"name": "a", "args": {"b": {}}, "ph": "X", "ts": 1}]')
    write(tmp_path / "bom.json", '\ufeff\n{"traceEvents": []}')
    write(tmp_path / "config.json", '{"hidden_size": 64, "architectures": ["Llama"]}')
    write(tmp_path / "list.json", "[1, 2, 3]")
    write(tmp_path / "empty.json", "")
    write(tmp_path / "text.json", '"traceEvents": no JSON at all')
    (tmp_path / "broken.json.gz").write_bytes(b"\x1f\x8b no gzip")
    (tmp_path / "events.out.tfevents.1.host").write_bytes(b"\x00")
    assert sorted(found(tmp_path)) == ["bare.json", "bom.json", "packed.json.gz", "trace.json"]


def test_the_label_of_a_plan_says_that_it_is_predicted(tmp_path: Path) -> None:
    write(tmp_path / "sd/sd.plan.json", '{"genscope_plan":1,"device":"x"}')
    write(tmp_path / "measured/sd.json")
    labels = [file.label for file in discover(tmp_path).scan().files.values()]
    assert labels == ["measured", "sd (predicted)"]


def test_a_cut_gzip_head_is_enough_to_tell() -> None:
    packed = gzip.compress((trace_text(200) + " " * 100).encode())
    assert looks_like_trace(packed[:200])


def test_what_is_found_is_described(tmp_path: Path) -> None:
    path = write(tmp_path / "sd/math/host_1.17.pt.trace.json")
    [file] = discover(tmp_path).scan().files.values()
    assert (file.label, file.run, file.file) == ("math", "sd/math", "host_1.17.pt.trace.json")
    assert (file.path, file.stamp.size_bytes) == (str(path), path.stat().st_size)


def test_links_are_followed_but_cycles_end(tmp_path: Path) -> None:
    logdir, elsewhere = tmp_path / "logs", tmp_path / "elsewhere"
    write(elsewhere / "other.1.pt.trace.json")
    write(logdir / "group/run/host.1.pt.trace.json")
    (logdir / "outside").symlink_to(elsewhere)
    (logdir / "again").symlink_to(logdir)
    (logdir / "latest").symlink_to(logdir / "group/run")
    (logdir / "gone.1.pt.trace.json").symlink_to(tmp_path / "nowhere")
    assert found(logdir) == ["group/run/host.1.pt.trace.json", "outside/other.1.pt.trace.json"]


def test_links_to_files_elsewhere_are_runs_since_whoever_fills_the_logdir_put_them_there(
    tmp_path: Path,
) -> None:
    target = write(tmp_path / "elsewhere" / "other.1.pt.trace.json")
    logdir = tmp_path / "logs"
    logdir.mkdir()
    (logdir / "linked.1.pt.trace.json").symlink_to(target)
    [file] = discover(logdir).scan().files.values()
    assert file.id == "linked.1.pt.trace.json"
    assert discover(logdir).find("../elsewhere/other.1.pt.trace.json") is None


def test_a_thousand_traces_are_listed_without_a_look_into_any(tmp_path: Path) -> None:
    for number in range(1000):
        path = tmp_path / f"run{number % 40}" / f"host{number}.1.pt.trace.json"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    discovery = discover(tmp_path)
    with opened_files() as opened:
        assert discovery.has_any()
        assert len(discovery.scan().files) == 1000
    assert [path for path in opened if path.startswith(str(tmp_path))] == []


def test_new_and_growing_files_are_seen_while_it_runs(tmp_path: Path) -> None:
    discovery = discover(tmp_path)
    assert list(discovery.scan().files) == []
    path = write(tmp_path / "run" / "host.1.pt.trace.json", trace_text(1)[:100], age_s=0)
    small = discovery.scan().files["run/host.1.pt.trace.json"]
    path.write_text(trace_text(9))
    grown = discovery.scan().files["run/host.1.pt.trace.json"]
    assert grown.stamp.size_bytes > small.stamp.size_bytes
    path.unlink()
    assert list(discovery.scan().files) == []


def test_pipes_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    os.mkfifo(tmp_path / "host.1.pt.trace.json")
    assert found(tmp_path) == []


def test_names_that_are_no_utf8_can_be_listed_and_found(tmp_path: Path) -> None:
    for byte in (b"\xfe", b"\xff"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/r" + byte + b".1.pt.trace.json")).touch()
    discovery = discover(tmp_path)
    ids = list(discovery.scan().files)
    assert len(ids) == 2
    for file_id in ids:
        file_id.encode()
        assert discovery.find(file_id) is not None


class Walled(LocalFiles):
    """Folders and files called `closed…` cannot be opened, as for a user without rights."""

    def entries(self, folder: str, is_wanted: Callable[[str], bool]) -> list[Entry]:
        self._check(folder)
        return super().entries(folder, is_wanted)

    def head(self, path: str, size: int) -> bytes:
        self._check(path)
        return super().head(path, size)

    def _check(self, path: str) -> None:
        if os.path.basename(path).startswith("closed"):
            raise PermissionError(13, "Permission denied", path)


def test_what_cannot_be_read_does_not_hide_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "closed/host.1.pt.trace.json")
    write(tmp_path / "closed.json")
    write(tmp_path / "open/host.1.pt.trace.json")
    assert found(tmp_path, file_system=lambda _: Walled()) == ["open/host.1.pt.trace.json"]


def test_a_logdir_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    write(closed / "host.1.pt.trace.json")
    scan = discover(closed, file_system=lambda _: Walled()).scan()
    assert scan.message == f"The logdir {closed} cannot be read: Permission denied"


def test_messages_say_why_there_is_no_run(tmp_path: Path) -> None:
    file = write(tmp_path / "host.1.pt.trace.json")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "--logdir" in str(Discovery([]).scan().message)
    assert "does not exist" in str(discover(tmp_path / "nowhere").scan().message)
    assert "is a file" in str(discover(file).scan().message)
    assert f"no trace under {empty}" in str(discover(empty).scan().message)
    assert discover(tmp_path).scan().message is None


def test_one_bad_logdir_of_several_is_named_beside_the_runs_of_the_others(tmp_path: Path) -> None:
    write(tmp_path / "good/run/host.1.pt.trace.json")
    missing = tmp_path / "missing"
    scan = Discovery([Logdir(str(missing), "a"), Logdir(str(tmp_path / "good"), "b")]).scan()
    assert list(scan.files) == ["b/run/host.1.pt.trace.json"]
    assert str(missing) in str(scan.message)


def test_the_same_name_in_two_logdirs(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name / "run/host.1.pt.trace.json")
        write(tmp_path / name / "host.1.pt.trace.json")
    discovery = Discovery([Logdir(str(tmp_path / name), name) for name in ("a", "b")])
    files = discovery.scan().files
    assert {file.id: file.label for file in files.values()} == {
        "a/host.1.pt.trace.json": "a",
        "a/run/host.1.pt.trace.json": "a/run",
        "b/host.1.pt.trace.json": "b",
        "b/run/host.1.pt.trace.json": "b/run",
    }


def test_beyond_the_bounds_it_says_so(tmp_path: Path) -> None:
    write(tmp_path / "1/2/3/host.1.pt.trace.json")
    write(tmp_path / "host.1.pt.trace.json")
    for bounds in (Bounds(depth=2), Bounds(folders=2), Bounds(seconds=0.0)):
        scan = discover(tmp_path, bounds=bounds).scan()
        assert "1/2/3/host.1.pt.trace.json" not in scan.files
        assert "Only a part" in str(scan.message)


def test_ids_are_looked_up_and_never_made_into_paths(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.json")
    logdir = tmp_path / "logs"
    write(logdir / "host.1.pt.trace.json")
    (logdir / "sub").mkdir()
    discovery = discover(logdir)
    for file_id in (
        "../secret.json",
        str(secret),
        str(logdir / "host.1.pt.trace.json"),
        "./host.1.pt.trace.json",
        "sub/../host.1.pt.trace.json",
        "host.1.pt.trace.json\0",
        "\0",
        "",
    ):
        assert discovery.find(file_id) is None
    assert discovery.find("host.1.pt.trace.json") is not None


def test_find_sees_the_file_as_it_is_now(tmp_path: Path) -> None:
    path = write(tmp_path / "host.1.pt.trace.json")
    discovery = discover(tmp_path, keep_s=1e9)
    discovery.scan()
    path.write_text("longer than before" * 1000)
    file = discovery.find("host.1.pt.trace.json")
    assert file is not None
    assert file.stamp.size_bytes == path.stat().st_size
    path.unlink()
    assert discovery.find("host.1.pt.trace.json") is None


class Counting(LocalFiles):
    """Counts how often files are looked into."""

    def __init__(self) -> None:
        self.heads: list[str] = []

    def head(self, path: str, size: int) -> bytes:
        self.heads.append(os.path.basename(path))
        return super().head(path, size)


def test_each_version_of_a_file_is_looked_into_once(tmp_path: Path) -> None:
    counting = Counting()
    discovery = discover(tmp_path, file_system=lambda _: counting)
    path = write(tmp_path / "a.json", "{}")
    assert not discovery.scan().files
    assert not discovery.scan().files
    assert counting.heads == ["a.json"]
    write(path)
    assert list(discovery.scan().files) == ["a.json"]
    assert counting.heads == ["a.json", "a.json"]


def test_whether_there_is_any_opens_nothing(tmp_path: Path) -> None:
    counting = Counting()
    discovery = discover(tmp_path, file_system=lambda _: counting)
    assert not discovery.has_any()
    write(tmp_path / "run/config.json", "{}")
    assert discovery.has_any()
    assert counting.heads == []
    discovery.scan()
    assert not discovery.has_any(), "the only JSON file is known to be something else"
    write(tmp_path / "run/host.1.pt.trace.json")
    assert discovery.has_any()
    assert counting.heads == ["config.json"]


def test_no_logdir_means_the_working_directory_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "host.1.pt.trace.json")
    monkeypatch.chdir(tmp_path)
    discovery = Discovery([])
    assert not discovery.has_any()
    assert not discovery.scan().files


def test_a_remote_logdir(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    root = f"/{tmp_path.name}"
    memory.pipe(f"{root}/run/host.1.pt.trace.json", trace_text().encode())
    memory.pipe(f"{root}/plain.json.gz", gzip.compress(trace_text().encode()))
    memory.pipe(f"{root}/config.json", b"{}")
    try:
        discovery = Discovery([Logdir(f"memory:/{root}", "")])
        assert discovery.has_any()
        scan = discovery.scan()
        assert list(scan.files) == ["plain.json.gz", "run/host.1.pt.trace.json"]
        file = discovery.find("run/host.1.pt.trace.json")
        assert file is not None
        assert file.path == f"memory:/{root}/run/host.1.pt.trace.json"
        assert file.stamp.size_bytes == len(trace_text())
        missing = Discovery([Logdir(f"memory:/{root}/nowhere", "")])
        assert not missing.has_any()
        assert "does not exist" in str(missing.scan().message)
    finally:
        memory.rm(root, recursive=True)


def test_a_remote_logdir_without_its_back_end_is_explained() -> None:
    scan = Discovery([Logdir("nosuchscheme://bucket/runs", "")]).scan()
    assert str(scan.message).startswith("The logdir nosuchscheme://bucket/runs cannot be read: ")
    assert "\n" not in str(scan.message)


def test_a_url_is_remote_and_a_path_is_not() -> None:
    assert files_module.is_remote("s3://bucket/runs")
    assert not files_module.is_remote("/runs")


NATIVE = native([process(1, 5, "python"), begin(1, "aten::mm"), end(9)])


def write_native(path: Path, data: bytes = NATIVE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def test_native_traces_are_runs(tmp_path: Path) -> None:
    for name in ("a/t.pftrace", "b/t.perfetto-trace", "c/t.pftrace.gz"):
        write_native(tmp_path / name)
    write_native(tmp_path / "d/no.pftrace", b"\x0anothing of the kind")
    assert found(tmp_path) == ["a/t.pftrace", "b/t.perfetto-trace", "c/t.pftrace.gz"]


def test_an_export_beside_its_source_is_no_second_run(tmp_path: Path) -> None:
    write(tmp_path / "a/w.12.pt.trace.json")
    for name in (
        "a/w.12.pftrace",
        "a/w.12.pt.trace.pftrace.gz",
        "b/w.12.pftrace",
        "a/w.13.pftrace",
    ):
        write_native(tmp_path / name)
    assert found(tmp_path) == ["a/w.12.pt.trace.json", "a/w.13.pftrace", "b/w.12.pftrace"]
