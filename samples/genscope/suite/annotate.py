"""Named ranges around the methods of a model, as `user_annotation` slices in a trace."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from torch.profiler import record_function


class Range(NamedTuple):
    """Calls of `owner.method` to show in the trace, as what `label` makes of their arguments.

    A label must be free of `"`, which would make the whole trace invalid JSON.
    """

    owner: Any
    method: str
    label: Callable[..., str]


@contextmanager
def ranges(*wanted: Range) -> Iterator[None]:
    """Record a range at every call of the wanted methods, until the block ends.

    Methods are replaced on the instance rather than hooked: pipelines call some of them (such as
    `vae.decode`) past `Module.__call__`, where no forward hook fires.
    """
    with ExitStack() as stack:
        for one in wanted:
            stack.enter_context(_recorded(one))
        yield


@contextmanager
def _recorded(wanted: Range) -> Iterator[None]:
    owner, method, label = wanted
    replaced = vars(owner).get(method)
    inner = getattr(owner, method)

    # The signature is kept: diffusers and transformers look at it to decide what to pass.
    @functools.wraps(inner)
    def call(*args: Any, **kwargs: Any) -> Any:
        with record_function(label(*args, **kwargs)):
            return inner(*args, **kwargs)

    setattr(owner, method, call)
    try:
        yield
    finally:
        if replaced is None:
            delattr(owner, method)
        else:
            setattr(owner, method, replaced)
