"""A meeting point for the second and later process groups that one torchrun starts.

The agent's store outlives the processes of the first group, with the addresses of that group in
it: whoever reads one of them waits for a process that is gone. Each later group therefore gets a
store of its own, on a port that its rank 0 picks and tells through the agent's store.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import timedelta

_AGENT_STORE = "TORCHELASTIC_USE_AGENT_STORE"
_WAIT = timedelta(minutes=30)
"""The ranks of a group end at different times: the last may still write its trace."""


def environment_of(place: int) -> Mapping[str, str]:
    """What is different in the environment of the group at `place`, counted from 0.

    Empty for the first group, and where there is no agent's store. Raises what torch raises if the
    store cannot be reached.
    """
    if place == 0 or os.environ.get(_AGENT_STORE) != "True":
        return {}
    from torch import distributed

    address = os.environ["MASTER_ADDR"]
    port = int(os.environ["MASTER_PORT"])
    store = distributed.TCPStore(address, port, is_master=False, timeout=_WAIT)  # type: ignore[attr-defined]
    key = f"genscope/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}/{place}"
    if os.environ.get("RANK") == "0":
        store.set(key, str(_free_port()))
    return {_AGENT_STORE: "False", "MASTER_PORT": store.get(key).decode()}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("", 0))
        return int(free.getsockname()[1])
