"""Who writes a trace: rank and host, and a file name that no other process takes."""

from __future__ import annotations

import os
import re
import socket
import sys
from typing import NamedTuple

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Rank(NamedTuple):
    """Place of this process in a distributed job."""

    rank: int
    world_size: int


def rank() -> Rank | None:
    """Return the rank from torch.distributed, else from RANK and WORLD_SIZE; None without one."""
    try:
        # Looked up and not imported: torch may be built without it.
        distributed = sys.modules.get("torch.distributed")
        if distributed is not None and distributed.is_available() and distributed.is_initialized():
            return Rank(int(distributed.get_rank()), int(distributed.get_world_size()))
        found = Rank(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    except Exception:
        return None
    return found if 0 <= found.rank < found.world_size else None


def name(given: str | None = None) -> str:
    """Return the worker's name in a file name: `rank3`, or `host_pid` as torch has it.

    A `given` name stands for itself, with the rank behind it where there are several.
    """
    place = rank()
    several = place is not None and place.world_size > 1
    if given:
        base = _UNSAFE.sub("_", given).lstrip(".") or "worker"
        return f"{base}_rank{place.rank}" if place is not None and several else base
    if place is not None:
        return f"rank{place.rank}"
    try:
        host = _UNSAFE.sub("_", socket.gethostname())
    except OSError:
        host = ""
    return f"{host.lstrip('.') or 'host'}_{os.getpid()}"
