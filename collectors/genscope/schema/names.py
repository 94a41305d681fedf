"""The names of annotated events: what varies from call to call, behind the id of what does not.

`genscope.component#0 unet step=3`, `genscope.module#7 down_blocks.0.attentions.0`,
`genscope.attention#12 self q=4096 kv=77 b=2`. A name is words of ASCII, since that alone survives
whatever options a profiler runs with. Later versions add words with `=`, which a reader skips.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from genscope.schema.records import AttentionCall, ComponentCall, ModuleCall
from genscope.schema.text import decode, word

Call = ComponentCall | ModuleCall | AttentionCall

PREFIX = "genscope."
"""How the names of all annotated events begin."""

COMPONENT = PREFIX + "component#"
MODULE = PREFIX + "module#"
ATTENTION = PREFIX + "attention#"

_NAME = re.compile(r"genscope\.(component|module|attention)#([0-9]{1,9})(?: (.*))?", re.S)
_LONGEST = 5000
_NUMBER = re.compile(r"-?[0-9]{1,18}")


def component_name(call: ComponentCall) -> str:
    """Return the name of the event of a component's call."""
    name = f"{COMPONENT}{call.component}"
    if call.name:
        name = f"{name} {word(call.name)}"
    return name if call.step is None else f"{name} step={call.step}"


def module_name(call: ModuleCall) -> str:
    """Return the name of the event of a module's call."""
    return f"{MODULE}{call.module} {word(call.path)}" if call.path else f"{MODULE}{call.module}"


def attention_name(call: AttentionCall) -> str:
    """Return the name of the event of an attention call."""
    name = f"{ATTENTION}{call.site} {word(call.kind)}" if call.kind else f"{ATTENTION}{call.site}"
    if call.q_len is not None:
        name = f"{name} q={call.q_len}"
    if call.kv_len is not None:
        name = f"{name} kv={call.kv_len}"
    if call.batch is not None:
        name = f"{name} b={call.batch}"
    if call.q_tokens is not None:
        name = f"{name} tokens={call.q_tokens}"
    return f"{name} chain=1" if call.chain else name


def parse(name: str) -> Call | None:
    """Return what the name of an event tells, None where it is none of ours. Never raises.

    Unknown words are skipped, and a value that is no number is as if it were not there.
    """
    found = _NAME.fullmatch(name) if name.startswith(PREFIX) and len(name) <= _LONGEST else None
    if found is None:
        return None
    text = ""
    values: dict[str, str] = {}
    for part in (found[3] or "").split(" "):
        key, equals, value = part.partition("=")
        if equals:
            values.setdefault(key, value)
        elif not text:
            text = decode(part)
    return _READERS[found[1]](int(found[2]), text, values)


def _component(number: int, text: str, values: dict[str, str]) -> Call:
    return ComponentCall(component=number, name=text, step=_integer(values.get("step")))


def _module(number: int, text: str, values: dict[str, str]) -> Call:
    return ModuleCall(module=number, path=text)


def _attention(number: int, text: str, values: dict[str, str]) -> Call:
    return AttentionCall(
        site=number,
        kind=text or None,
        batch=_count(values.get("b")),
        q_len=_count(values.get("q")),
        kv_len=_count(values.get("kv")),
        q_tokens=_count(values.get("tokens")),
        chain=values.get("chain") == "1",
    )


_READERS: dict[str, Callable[[int, str, dict[str, str]], Call]] = {
    "component": _component,
    "module": _module,
    "attention": _attention,
}


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def _count(text: str | None) -> int | None:
    number = _integer(text)
    return number if number is not None and number >= 0 else None
