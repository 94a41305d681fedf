"""Starts a command that ends up serving TensorBoard, and talks to it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_S = 240
ADDRESS = re.compile(r"TensorBoard \S+ at (http://\S+)/ ")


@contextmanager
def served(command: Sequence[str | Path], *, cwd: Path, log: Path) -> Iterator[str]:
    """Run `command` with its output in `log`; yields the address that TensorBoard prints.

    Everything the command started is ended afterwards. Raises AssertionError with the output
    where it ends before it serves, or does not serve in time.
    """
    # The variables of an outer make would tell an inner one to take part in its job server.
    outer = ("PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    environment = {k: v for k, v in os.environ.items() if k not in outer}
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield _address(process, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE_S)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        ended = process.poll() is not None
        text = log.read_text(errors="replace")
        if found := ADDRESS.search(text):
            return found[1]
        assert not ended and time.monotonic() < deadline, f"TensorBoard does not serve:\n{text}"
        time.sleep(0.1)


def get(url: str) -> tuple[str, bytes]:
    """Content type and body; raises urllib.error.URLError where the status is no success."""
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        return answer.headers["Content-Type"], answer.read()
