from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import fsspec
import msgspec
import pytest

from genscope.cli.main import main, parser
from genscope.cli.views import VIEWS
from tests.cli.run import COMMAND, environment, genscope


def one_line(text: str) -> str:
    """The only line of what went to stderr."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("genscope: ")
    return lines[0]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == 0
    assert capsys.readouterr().out.startswith("genscope ")


def test_help_and_parsing_load_nothing_heavy() -> None:
    code = (
        "import sys; from genscope.cli.main import parser; parser().format_help();"
        "print({'numpy', 'rich', 'msgspec', 'fsspec', 'isal'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(), check=True
    )
    assert done.stdout.strip() == b"set()"


@pytest.mark.parametrize(
    "args", [[], ["report"], ["compare", "a.json"], ["report", "x", "--rows=0"]]
)
def test_a_wrong_command_line_is_status_2(
    args: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(args)
    assert raised.value.code == 2
    assert "usage: genscope" in capsys.readouterr().err


def test_every_view_names_functions_that_exist() -> None:
    from pkgutil import resolve_name

    for view in VIEWS.values():
        assert callable(resolve_name(view.analyse))
        assert callable(resolve_name(view.present))
    assert parser().parse_args(["report", "x", "--view", "operators"]).view in VIEWS


UNUSABLE = {
    "missing.json": None,
    "empty.json": b"",
    "notes.json": b"hello",
    "list.json": b"[1, 2, 3]",
    "cut.json.gz": b"\x1f\x8b\x08\x00",
    "evil\x1b[31m\nname.json": b"",
}


@pytest.mark.parametrize("name", UNUSABLE)
@pytest.mark.parametrize("command", ["report", "compare"])
def test_a_file_that_cannot_be_used_is_status_2_and_one_line_that_names_it(
    name: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    content = UNUSABLE[name]
    if content is not None:
        path.write_bytes(content)
    args = [command, str(path)] + ([str(path)] if command == "compare" else [])
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    line = one_line(err)
    assert str(tmp_path) in line and name.split("\x1b")[0] in line
    assert "\x1b" not in line


def test_a_directory_with_several_traces_is_status_2_and_lists_them(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(recorded.read_bytes())
    assert main(["report", str(tmp_path)]) == 2
    line = one_line(capsys.readouterr().err)
    assert "a.json, b.json" in line


def test_a_file_without_permission_is_status_2(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    status = main(["report", str(recorded)])
    monkeypatch.undo()
    assert status == 2
    assert one_line(capsys.readouterr().err).endswith("Permission denied")


def test_a_url_of_an_unknown_kind_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "nosuch://host/t.json"]) == 2
    assert "nosuch://host/t.json" in one_line(capsys.readouterr().err)


def test_a_url_whose_backend_is_not_installed_is_status_2_and_says_what_to_install(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from fsspec.registry import known_implementations

    known_implementations["absent"] = {"class": "no_such_package.FS", "err": "Install absentfs"}
    try:
        assert main(["report", "absent://bucket/t.json"]) == 2
    finally:
        del known_implementations["absent"]
    line = one_line(capsys.readouterr().err)
    assert "absent://bucket/t.json" in line and "Install absentfs" in line


def test_a_remote_file_system_that_fails_in_its_own_way_is_status_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Refused(fsspec.AbstractFileSystem):
        protocol = "refusing"

        def _open(self, *_: object, **__: object) -> None:
            raise RuntimeError("login\nrefused")

    fsspec.register_implementation("refusing", Refused, clobber=True)
    assert main(["report", "refusing://bucket/t.json"]) == 2
    line = one_line(capsys.readouterr().err)
    assert "refusing://bucket/t.json" in line and "login; refused" in line


def test_an_interrupt_is_status_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("genscope.cli.report.read", interrupt)
    assert main(["report", "x.json"]) == 130
    assert capsys.readouterr().out == ""


def test_a_fault_of_genscope_is_status_1_and_one_line_unless_the_traceback_is_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("genscope.cli.report.read", fail)
    assert main(["report", "x.json"]) == 1
    assert "ZeroDivisionError: oh" in one_line(capsys.readouterr().err)
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "report", "x.json"])


BUFFERING = [{}, {"PYTHONUNBUFFERED": "1"}]


@pytest.mark.parametrize("more", BUFFERING)
@pytest.mark.parametrize("style", ["text", "json", "markdown"])
def test_a_reader_that_goes_away_leaves_no_traceback(
    recorded: Path, style: str, more: dict[str, str]
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [*COMMAND, "report", str(recorded), "--format", style],
            stdout=closed,
            stderr=subprocess.PIPE,
            env=environment(**more),
            check=False,
        )
    assert done.stderr == b""
    assert done.returncode == 141


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace whose result is far larger than a pipe holds."""
    args = {"device": 0, "stream": 7}
    event = {"ph": "X", "cat": "kernel", "pid": 0, "tid": 7, "ts": 1, "dur": 1, "args": args}
    events = [{**event, "name": f"kernel_{i}_" + "x" * 500} for i in range(2000)]
    path = tmp_path_factory.mktemp("long") / "long.json"
    path.write_bytes(msgspec.json.encode({"schemaVersion": 1, "traceEvents": events}))
    return path


@pytest.mark.parametrize("more", BUFFERING)
def test_a_reader_that_has_seen_enough_is_told_from_one_that_has_seen_all(
    long: Path, more: dict[str, str]
) -> None:
    command = [*COMMAND, "report", str(long), "--format", "json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**more)
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        assert running.stdout.read(1) == b"{"
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141
    done = subprocess.run(command, capture_output=True, env=environment(**more), check=True)
    assert len(done.stdout) > 1_000_000
    msgspec.json.decode(done.stdout)


def test_version_to_a_reader_that_is_gone_leaves_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        command = [*COMMAND, "--version"]
        done = subprocess.run(
            command, stdout=closed, stderr=subprocess.PIPE, env=environment(), check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_status_1_and_one_line(recorded: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "report", str(recorded)],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
        )
    assert done.returncode == 1
    assert "No space left" in one_line(done.stderr.decode())


def test_the_package_can_be_run_too(recorded: Path) -> None:
    command = [sys.executable, "-m", "genscope.cli", "report", str(recorded), "--format=json"]
    done = subprocess.run(command, capture_output=True, env=environment(), check=True)
    assert done.stdout == genscope("report", recorded, "--format=json").stdout
    assert msgspec.json.decode(done.stdout)["view"] == "operators"
