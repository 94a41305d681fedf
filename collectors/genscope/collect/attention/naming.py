"""The names of attention calls, and the sites in the registry that they point at."""

from __future__ import annotations

from typing import Any

from genscope.collect.attention.plans import Spot
from genscope.collect.attention.readers import Seen
from genscope.collect.attention.state import Live, Local, Pattern
from genscope.collect.attention.verdict import Fact, true
from genscope.collect.context import Context, Frame
from genscope.collect.registry import Registry
from genscope.schema import AttentionCall, attention_name


class Naming:
    """Names calls by where they are and by what is known of that place."""

    def __init__(self, registry: Registry, context: Context) -> None:
        self._registry = registry
        self._context = context
        self.lives: dict[int | None, Live] = {}
        """Models by the id of their component, for threads that have entered none."""

    def here(self, local: Local) -> tuple[Frame | None, Spot, Live | None]:
        """Return where a call is, and count it."""
        frame = self._context.here
        if frame is None:
            return None, (0, "", 0), None
        live = local.live or self.lives.get(frame.component)
        spot = (self._offset(local, frame), frame.path, frame.calls)
        frame.calls += 1
        return frame, spot, live

    def _offset(self, local: Local, frame: Frame) -> int:
        """Tell components within components apart without their numbers in this recording."""
        if frame.component is None or local.base is None:
            return 0
        return frame.component - local.base

    def path(self, local: Local, frame: Frame | None) -> str:
        """Return the module to watch for calls like one in `frame`, "" for the whole model."""
        return frame.path if frame is not None and self._offset(local, frame) == 0 else ""

    def later(
        self,
        local: Local,
        live: Live | None,
        frame: Frame | None,
        spot: Spot,
        via: str,
        seen: Seen,
        chain: bool,
    ) -> str:
        """Return the name of a call in a model that has been looked into."""
        if live is None or spot[:2] in live.repeated:
            return self.name(frame, via, seen, self._known(local, live, spot, seen), chain)
        place = (frame and frame.component, spot, via, chain)
        key = (place, seen)
        name = live.names.get(key)
        if name is not None:
            return name
        style = (place, seen.heads, seen.kv_heads, *seen[5:10])
        pattern = live.names.patterns.get(style) if seen.q_tokens is None else None
        if pattern is not None:
            name = pattern.name(seen.batch, seen.q_len, seen.kv_len)
        if name is None:
            fact = self._known(local, live, spot, seen)
            name = self.name(frame, via, seen, fact, chain)
            self._learn(live, frame, style, via, seen, fact, chain)
        live.names.keep(key, name)
        return name

    def pattern(
        self, live: Live | None, frame: Frame | None, spot: Spot, via: str, seen: Seen
    ) -> Pattern | None:
        """Return what `later` has learnt of calls like this one."""
        if live is None:
            return None
        place = (frame and frame.component, spot, via, False)
        return live.names.patterns.get((place, seen.heads, seen.kv_heads, *seen[5:10]))

    def _learn(
        self,
        live: Live,
        frame: Frame | None,
        style: Any,
        via: str,
        seen: Seen,
        fact: Fact,
        chain: bool,
    ) -> None:
        """Remember how calls of this site are named, if that does not depend on their lengths."""
        if fact.guessed or seen.q_tokens is not None or not (seen.q_len and seen.batch):
            return
        right = true(seen, fact)
        share = seen.q_len // right.q_len if right.q_len else 0
        merged = seen.batch // right.batch if right.batch else 0
        told = fact.heads in (None, seen.heads) or share > 1 or merged > 1
        if told and share and merged:
            site = self._site(frame, via, right, fact)
            live.names.patterns[style] = Pattern(site, fact.kind, share, merged, chain)

    def _known(self, local: Local, live: Live | None, spot: Spot, seen: Seen) -> Fact:
        facts = live.plan.facts.get(spot) if live is not None else None
        if facts is None and live is not None:
            # One call more in a module than was seen: the last one is the likeliest.
            facts = live.plan.facts.get((*spot[:2], live.plan.last.get(spot[:2], -1)))
        if facts is None:
            return _guess(seen)
        place = 0
        if len(facts) > 1:
            if spot[2] == 0:
                local.visits[spot[:2]] = local.visits.get(spot[:2], -1) + 1
            place = local.visits.get(spot[:2], 0) % len(facts)
        return facts[place]

    def name(
        self, frame: Frame | None, via: str, seen: Seen, fact: Fact | None, chain: bool
    ) -> str:
        """Return the name of a call, and have its site in the registry."""
        fact = fact or _guess(seen)
        seen = true(seen, fact)
        return attention_name(
            AttentionCall(
                site=self._site(frame, via, seen, fact),
                kind=fact.kind,
                batch=seen.batch,
                q_len=seen.q_len,
                kv_len=seen.kv_len,
                q_tokens=seen.q_tokens,
                chain=chain,
            )
        )

    def _site(self, frame: Frame | None, via: str, seen: Seen, fact: Fact) -> int:
        return self._registry.site(
            component=frame.component if frame is not None else None,
            module=frame.module if frame is not None else None,
            kind=fact.kind,
            axis=fact.axis,
            heads=seen.heads,
            kv_heads=seen.kv_heads,
            head_dim=seen.head_dim,
            v_head_dim=seen.v_head_dim,
            dtype=seen.dtype,
            causal=seen.causal,
            mask=seen.mask,
            via=via,
            reason=fact.reason,
        )


def _guess(seen: Seen) -> Fact:
    """Say what can be said of a call in a place of which nothing is known."""
    if seen.q_len is None or seen.kv_len is None:
        return Fact(None, None, "nothing known of the place", guessed=True)
    alike = seen.q_len == seen.kv_len or seen.causal or seen.q_len == 1
    kind = "self" if alike else "cross"
    return Fact(kind, None, "by lengths: nothing known of the place", guessed=True)
