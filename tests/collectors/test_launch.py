from __future__ import annotations

import argparse
import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from genscope import schema
from genscope.collect import options
from genscope.trace import load
from tests.collectors import programs
from tests.collectors.traces import names, read


def write(folder: Path, text: str, name: str = "script.py") -> None:
    (folder / name).write_text(text)


def document(trace: dict[str, Any]) -> schema.Document:
    return schema.loads(trace[schema.METADATA_KEY])


def test_a_script_is_recorded_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, programs.MODEL + "print('done')\n")
    ran = programs.run(tmp_path, "-o", "runs/x", "script.py")
    assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr
    trace = read(tmp_path / "runs" / "x")
    assert names(trace).count("aten::linear") == 6
    (file,) = programs.traces(tmp_path / "runs" / "x")
    assert load(file).events
    assert f"runs/x/{file.name}" in ran.stderr
    assert "tensorboard --logdir runs/x" in ran.stderr
    assert "genscope report" in ran.stderr


def test_the_folder_has_the_name_of_the_script_by_default(tmp_path: Path) -> None:
    write(tmp_path, programs.MODEL, "sampling.py")
    assert programs.run(tmp_path, "sampling.py").returncode == 0
    assert len(programs.traces(tmp_path / "runs" / "sampling")) == 1


LOOKS = """
import json, os, sys
import helper
import __main__
print(json.dumps({
    "name": __name__, "file": __file__, "argv": sys.argv, "path": sys.path[0],
    "package": __package__, "spec": __spec__ and __spec__.name,
    "main": __main__ is sys.modules["__main__"] and __main__.__dict__ is globals(),
    "globals": sorted(name for name in globals() if name.startswith("__")),
}))
"""


@pytest.mark.parametrize(
    "arguments", [("inner/looks.py", "a", "-o", "--steps", "x"), ("-m", "inner.looks", "--", "b")]
)
def test_the_script_sees_what_python_would_show_it(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "inner").mkdir()
    write(tmp_path / "inner", LOOKS, "looks.py")
    for place in (tmp_path, tmp_path / "inner"):
        write(place, "", "helper.py")
    plain = programs.run(tmp_path, *arguments, command=(sys.executable,))
    ran = programs.run(tmp_path, *arguments)
    assert json.loads(ran.stdout) == json.loads(plain.stdout)
    assert "called no model" in ran.stderr


def test_a_package_is_run_by_its_main_module(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    write(tmp_path / "package", "", "__init__.py")
    write(tmp_path / "package", "print(__name__, __package__)", "__main__.py")
    ran = programs.run(tmp_path, "-m", "package")
    assert ran.stdout == "__main__ package\n"


@pytest.mark.parametrize(
    ("ending", "status", "shown"),
    [
        ("sys.exit(7)", 7, ""),
        ("sys.exit('goodbye')", 1, "goodbye\n"),
        ("raise ValueError('of the script')", 1, "ValueError: of the script\n"),
        ("os._exit(5)", 5, ""),
    ],
)
def test_the_end_of_a_script_passes_through(
    tmp_path: Path, ending: str, status: int, shown: str
) -> None:
    write(tmp_path, programs.MODEL + ending)
    ran = programs.run(tmp_path, "-o", "runs", "script.py")
    assert ran.returncode == status
    assert ran.stderr.endswith(shown)
    if "os._exit" not in ending:
        assert names(read(tmp_path / "runs")).count("aten::linear") == 6


def test_a_traceback_shows_the_scripts_frames_alone(tmp_path: Path) -> None:
    write(tmp_path, "def fail():\n    raise ValueError('mine')\n\nfail()\n")
    plain = programs.run(tmp_path, "script.py", command=(sys.executable,))
    ran = programs.run(tmp_path, "script.py")
    told = ran.stderr[ran.stderr.index("Traceback") :]
    assert "script.py" in told
    assert told == plain.stderr


def test_a_script_that_does_not_parse(tmp_path: Path) -> None:
    write(tmp_path, "def (:\n")
    ran = programs.run(tmp_path, "script.py")
    assert ran.returncode == 1
    assert "SyntaxError" in ran.stderr
    assert "genscope" not in ran.stderr.replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (("--steps", "2:5"), 3),
        (("--warmup", "1", "--steps", "1:3"), 2),
        (("--steps", "4:50"), 2),
    ],
)
def test_a_window_of_model_calls(tmp_path: Path, given: tuple[str, ...], count: int) -> None:
    write(tmp_path, programs.MODEL + "torch.ones(2).cos_()\n")
    ran = programs.run(tmp_path, "-o", "runs", *given, "script.py")
    assert ran.returncode == 0, ran.stderr
    found = names(read(tmp_path / "runs"))
    assert found.count("aten::linear") == count
    # A window that the script does not fill goes on to its end.
    assert ("aten::cos_" in found) is (given[-1] == "4:50")


@pytest.mark.parametrize(
    ("text", "window"), [("2:5", (2, 5)), ("4:", (4, None)), (":2", (0, 2)), ("1", (1, 2))]
)
def test_how_a_window_is_written(text: str, window: tuple[int, int | None]) -> None:
    assert options.window(text) == window


@pytest.mark.parametrize("text", ["5:2", "3:3", ":", "", "-1", "a", "1:2:3"])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        options.window(text)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("nope.py",), "nope.py: cannot be run: No such file"),
        (("-m", "nope"), "nope: there is no such module"),
        (("-m", "nope.inner"), "nope.inner: there is no such module"),
        (("--attention", "fancy", "script.py"), "no attention is called fancy"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    write(tmp_path, "")
    ran = programs.run(tmp_path, *arguments)
    assert ran.returncode == 2
    assert why in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("arguments", [("--steps", "5:2", "x.py"), ("--max-seconds", "1")])
def test_a_wrong_command_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = programs.run(tmp_path, *arguments)
    assert ran.returncode == 2
    assert ran.stderr.startswith("usage: ")


@pytest.mark.parametrize(
    ("given", "text", "why"),
    [
        ((), "print('no model')", "called no model"),
        (("--steps", "10:"), programs.MODEL, "made 6 model calls"),
    ],
)
def test_says_why_nothing_was_recorded(
    tmp_path: Path, given: tuple[str, ...], text: str, why: str
) -> None:
    write(tmp_path, text)
    ran = programs.run(tmp_path, *given, "script.py")
    assert ran.returncode == 0
    assert why in ran.stderr
    assert not (tmp_path / "runs").exists()


def test_without_torch(tmp_path: Path) -> None:
    write(tmp_path, "raise ImportError('not for you')", "torch.py")
    write(tmp_path, "print('ran')")
    ran = programs.run(tmp_path, "script.py", PYTHONPATH=os.pathsep.join([".", *sys.path]))
    assert ran.returncode == 2
    assert "torch cannot be imported" in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_limit_ends_the_recording_and_not_the_script(tmp_path: Path) -> None:
    loop = "import time\nfor _ in range(30):\n    time.sleep(0.02)\n    model(torch.ones(2, 4))\n"
    write(tmp_path, programs.MODEL + loop + "torch.ones(2).cos_()\nprint('done')\n")
    ran = programs.run(tmp_path, "-o", "runs", "--max-seconds", "0.2", "script.py")
    assert ran.stdout == "done\n"
    trace = read(tmp_path / "runs")
    assert "aten::linear" in names(trace)
    assert "aten::cos_" not in names(trace)
    assert "max_seconds" in " ".join(document(trace).notes)
    assert "ended early" in ran.stderr


def test_ctrl_c_writes_what_there_is(tmp_path: Path) -> None:
    write(
        tmp_path,
        programs.MODEL + "print('ready', flush=True)\nwhile True:\n    model(torch.ones(2, 4))\n",
    )
    with subprocess.Popen(
        [*programs.ALONE, "-o", "runs", "script.py"],
        cwd=tmp_path,
        env=programs.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=300)
    assert child.returncode == 130
    assert told.rstrip().endswith("KeyboardInterrupt")
    assert names(read(tmp_path / "runs")).count("aten::linear") >= 6


def test_one_attention_implementation(tmp_path: Path) -> None:
    write(tmp_path, programs.ATTENTION)
    ran = programs.run(tmp_path, "-o", "runs", "--attention", "math", "script.py")
    assert ran.returncode == 0, ran.stderr
    trace = read(tmp_path / "runs")
    assert "aten::_scaled_dot_product_attention_math" in names(trace)
    assert document(trace).workload.attention == "math"


def test_several_attention_implementations_in_fresh_processes(tmp_path: Path) -> None:
    write(tmp_path, programs.ATTENTION + "import os, sys; print(os.getpid(), *sys.argv[1:])\n")
    ran = programs.run(tmp_path, "-o", "runs", "--attention", "math,flash", "script.py", "--x", "1")
    assert ran.returncode == 0, ran.stderr
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert [line[1:] for line in lines] == [["--x", "1"]] * 2
    assert lines[0][0] != lines[1][0]
    for name, op in (("math", "attention_math"), ("flash", "attention_for_cpu")):
        trace = read(tmp_path / "runs" / name)
        assert document(trace).workload.attention == name
        assert any(found.endswith(op) for found in names(trace)), name
    assert "genscope compare runs/math/" in ran.stderr
    assert "tensorboard --logdir runs\n" in ran.stderr


def test_one_implementation_that_fails_does_not_stop_the_next(tmp_path: Path) -> None:
    write(
        tmp_path,
        programs.ATTENTION
        + "import os, sys\nif os.path.exists('seen'):\n    sys.exit(0)\n"
        + "open('seen', 'w').close()\nsys.exit(3)\n",
    )
    ran = programs.run(tmp_path, "-o", "runs", "--attention", "math,flash", "script.py")
    assert ran.returncode == 3
    assert len(programs.traces(tmp_path / "runs" / "flash")) == 1


def test_components_can_be_named_by_their_class(tmp_path: Path) -> None:
    write(tmp_path, programs.ATTENTION)
    ran = programs.run(tmp_path, "-o", "runs", "--components", "mixer=Attention", "script.py")
    assert ran.returncode == 0, ran.stderr
    found = document(read(tmp_path / "runs")).components
    assert [(part.name, part.class_name) for part in found] == [("mixer", "Attention")]


GENERATION = """
import torch, transformers

config = transformers.LlamaConfig(
    hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, vocab_size=64,
)
model = transformers.LlamaForCausalLM(config).eval()
tokens = model.generate(
    torch.ones(1, 5, dtype=torch.long), min_new_tokens=4, max_new_tokens=4, do_sample=False
)
print(tokens.shape[1])
"""


def test_a_real_language_model(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    write(tmp_path, GENERATION)
    ran = programs.run(tmp_path, "-o", "runs", "script.py", command=programs.COMMAND)
    assert (ran.returncode, ran.stdout) == (0, "9\n"), ran.stderr
    trace = read(tmp_path / "runs")
    assert [part.name for part in document(trace).components] == ["llama"]
    calls = [schema.parse(name) for name in names(trace) if name.startswith(schema.PREFIX)]
    attention = [call for call in calls if isinstance(call, schema.AttentionCall)]
    assert [call.q_len for call in attention] == [5, 5] + [1, 1] * 3
    assert [call.kv_len for call in attention] == [5, 5, 6, 6, 7, 7, 8, 8]
    assert "genscope" not in ran.stdout


def test_options_of_the_script_may_hold_anything(tmp_path: Path) -> None:
    write(tmp_path, "import sys; print(sys.argv[1:])")
    ran = programs.run(
        tmp_path, "script.py", "--attention", "a b", "-m", '"', command=programs.COMMAND
    )
    assert ran.stdout == "['--attention', 'a b', '-m', '\"']\n"


def test_help_needs_no_torch(tmp_path: Path) -> None:
    write(tmp_path, "raise ImportError('torch is not to be imported')", "torch.py")
    path = os.pathsep.join([".", *sys.path])
    for command in (programs.COMMAND, programs.ALONE):
        ran = programs.run(tmp_path, "--help", command=command, PYTHONPATH=path)
        assert ran.returncode == 0, ran.stderr
        assert "--attention" in ran.stdout


def test_what_is_compressed_is_whole(tmp_path: Path) -> None:
    write(tmp_path, programs.MODEL)
    programs.run(tmp_path, "-o", "runs", "--worker", "mine", "script.py")
    (file,) = programs.traces(tmp_path / "runs")
    assert file.name.startswith("mine.")
    assert json.loads(gzip.decompress(file.read_bytes()))["traceName"] == file.name
