"""What the devices of a trace are called."""

from __future__ import annotations

from collections.abc import Iterable

from genscope.trace.model import Trace


def device_names(trace: Trace, indices: Iterable[int]) -> dict[int, str]:
    """Name of each device by its index, "" where the trace does not tell it.

    Where a process sees a part of the machine's devices, they are listed from 0 while events keep
    the machine's own numbers (ROCm writes both). A device that is not listed has the name that all
    listed ones share.
    """
    listed = {device.index: device.name for device in trace.devices}
    kinds = set(listed.values())
    shared = kinds.pop() if len(kinds) == 1 else ""
    return {index: listed.get(index, shared) for index in indices}
