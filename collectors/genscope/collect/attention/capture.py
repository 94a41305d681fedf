"""Annotates attention, however it is called, while it is installed."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import torch

from genscope.collect import verify
from genscope.collect.attention import inputs, mha
from genscope.collect.attention.calls import SDPA, Target, read
from genscope.collect.attention.chains import Chain
from genscope.collect.attention.compiled import Gate
from genscope.collect.attention.hosts import Hosts
from genscope.collect.attention.modes import Probe, Watch
from genscope.collect.attention.naming import Naming
from genscope.collect.attention.patches import Patches
from genscope.collect.attention.plans import Plan, find, plans_of
from genscope.collect.attention.probe import Finding
from genscope.collect.attention.readers import Layout, Reading, Seen
from genscope.collect.attention.state import NONE, Live, Local, pattern_of
from genscope.collect.context import Context
from genscope.collect.ranges import mark, range_of
from genscope.collect.registry import Registry

_log = logging.getLogger("genscope")

_PLAIN = (torch.Tensor, torch.nn.Parameter)
_UNMASKED = (type(None), torch.Tensor)


class Capture:
    """Attention of the code that runs between `install` and `uninstall`, on any thread.

    Each call gets an event with its lengths, and a site in the registry with what is the same at
    all calls of one place. Kind and axis are found out in the first call of each model, which
    costs some tens of microseconds for each torch function in it.
    """

    def __init__(self, registry: Registry, context: Context) -> None:
        self._context = context
        self._local = Local()
        self._lock = threading.Lock()
        self._patches = Patches()
        self._gate = Gate(self.suspend, self.resume)
        self._naming = Naming(registry, context)
        self._by_root: dict[int, Live] = {}
        self._hooked: set[tuple[int, str]] = set()
        self._handles: list[Any] = []
        self._compiled = 0
        self._installed = False
        self.failed = False
        """Whether an error of ours has ended the annotating."""

    def install(self) -> None:
        """Put the annotating functions in place. Does nothing where they are."""
        if self._installed:
            return
        self._installed = True
        try:
            self._hosts = Hosts(self._patches, self._standing)
            self._hosts.collect()
            original = torch.nn.functional.multi_head_attention_forward
            self._patches.replace(original, mha.functional(self, original))
            for owner, name, new in mha.forwards(self):
                self._patches.attribute(owner, name, new)
            self._patches.spread()
            self._hosts.hub()
            self._gate.install()
            self._patches.apply()
            verify.ABOVE.append(self)
        except Exception:
            self.fail()

    def uninstall(self) -> None:
        """Put everything back as it was. Does nothing where it is."""
        if not self._installed:
            return
        self._installed = False
        if self in verify.ABOVE:
            verify.ABOVE.remove(self)
        self._gate.uninstall()
        with self._lock:
            self._patches.restore()
            self._patches.sweep()
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._hooked.clear()
        local = self._local
        for mode in list(local.modes.on):
            local.modes.pop(mode)
        local.__init__()  # type: ignore[misc] # back to the beginning, on this thread
        self._patches = Patches()
        self._gate = Gate(self.suspend, self.resume)
        self._compiled = 0
        self._naming.lives.clear()
        self._by_root.clear()

    lift = uninstall
    """See `genscope.collect.verify.Layer`."""

    lower = install

    def enter_root(self, root: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        """Begin an outermost call of a model, after its frame was opened."""
        local = self._local
        if local.root is not None and len(self._context.frames) > 1:
            local.nested += 1
            return
        if self.failed or not self._installed:
            return
        try:
            if local.root is not None:
                # Abandoned by an interruption, after which torch runs no hooks.
                self._leave(local)
            self._enter(local, root, args, kwargs)
        except Exception:
            self.fail()

    def leave_root(self, root: torch.nn.Module) -> None:
        """End an outermost call of a model, whether it returned or raised."""
        local = self._local
        if local.nested:
            local.nested -= 1
            return
        try:
            if local.root is not None:
                self._leave(local)
        except Exception:
            self.fail()

    def suspend(self) -> None:
        """Leave everything alone on this thread, and replace nothing: compiled code runs."""
        local = self._local
        if local.compiled or not self._installed:
            return
        local.compiled = True
        local.taken = local.modes.suspend()
        self._refresh(local)
        with self._lock:
            self._compiled += 1
            self._patches.restore()

    def resume(self) -> None:
        """End what `suspend` began."""
        local = self._local
        if not local.compiled:
            return
        local.compiled = False
        with self._lock:
            self._compiled = max(0, self._compiled - 1)
            if not self._compiled and self._installed:
                self._patches.apply()
        local.modes.resume(local.taken)
        local.taken = []
        self._refresh(local)

    def owners(self, root: torch.nn.Module) -> set[str]:
        """Return the paths of the modules that were seen to call attention, "" for the model."""
        return {path for plan in plans_of(root) for _, path, _ in plan.facts}

    # What the functions and modes that stand in for others ask and tell.

    def inside(self) -> bool:
        """Tell whether an annotated call is running on this thread."""
        return self._local.depth > 0

    def busy(self) -> bool:
        """Tell whether a mode of ours is on, on this thread."""
        return bool(self._local.modes.on) and not self._local.compiled

    def fail(self) -> None:
        """Give up after an error of ours: the user's code goes on without us."""
        if not self.failed:
            self.failed = True
            _log.warning("attention is not annotated any more: an error", exc_info=True)

    def call(
        self,
        target: Target,
        original: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        unseen: bool = False,
        key: Any = None,
    ) -> Any:
        """Run an attention function in a range; `unseen` if only a mode could see it."""
        local = self._local
        if local.depth or local.compiled or self.failed or not self._installed:
            return original(*args, **kwargs)
        name, query = None, None
        try:
            reading = read(target, args, kwargs)
            if reading is not None:
                query = reading.query
                name = self._reading_name(local, target.via, reading, unseen, key)
        except Exception:
            self.fail()
        if name is None:
            return original(*args, **kwargs)
        local.depth += 1
        self._refresh(local)
        try:
            with range_of(name):
                result = original(*args, **kwargs)
        finally:
            local.depth -= 1
            self._refresh(local)
        if local.finding is not None:
            self._returned(local.finding, query, result)
        return result

    def ended(self, chain: Chain) -> None:
        """Mark the end of a chain."""
        self._mark("chain", chain.seen, chain)

    def written(self, seen: Seen) -> None:
        """Mark the end of a chain inside torch's own multi-head attention."""
        self._mark("mha", seen, None)

    def opaque(
        self, query: Any, key: Any, layouts: tuple[Layout, Layout], call: Callable[[], Any]
    ) -> Any:
        """Run `call` with no mode of ours on; its attention is between `query` and `key`."""
        local = self._local
        finding = local.finding
        before, taken = None, []
        try:
            if finding is not None:
                before = finding.enter(query, key, layouts)
            taken = local.modes.suspend()
        except Exception:
            self.fail()
        try:
            result = call()
        finally:
            local.modes.resume(taken)
            if finding is not None:
                finding.leave(before)
        if finding is not None:
            self._returned(finding, query, result)
        return result

    # Installing.

    def _standing(self, target: Target, original: Any) -> Callable[..., Any]:
        new = self._sdpa(original) if target is SDPA else self._other(target, original)
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            value = getattr(original, name, None)
            if isinstance(value, str):
                setattr(new, name, value)
        new.__wrapped__ = original  # type: ignore[attr-defined]
        return new

    def _other(self, target: Target, original: Any) -> Callable[..., Any]:
        def attention(*args: Any, **kwargs: Any) -> Any:
            return self.call(target, original, args, kwargs)

        return attention

    def _sdpa(self, original: Any) -> Callable[..., Any]:
        """Return what stands for SDPA; written for speed."""
        local, context, call = self._local, self._context, self.call

        def attention(*args: Any, **kwargs: Any) -> Any:
            key = None
            try:
                if len(args) > 2:
                    query, keys, value = args[0], args[1], args[2]
                    more: Any = (type(args[3]), args[4:]) if len(args) > 3 else None
                else:
                    query, keys, value = kwargs["query"], kwargs["key"], kwargs["value"]
                    more = None
                frame = context.frames[-1]
                key = (
                    frame.component,
                    frame.path,
                    frame.calls,
                    query.shape,
                    keys.shape,
                    value.shape,
                    query.dtype,
                    type(kwargs.get("attn_mask")),
                    kwargs.get("is_causal"),
                    more,
                )
                names = local.names
                name = names.get(key) or names.lengthened(key)
                if name is None:
                    raise LookupError
                frame.calls += 1
            except Exception:
                return call(SDPA, original, args, kwargs, key=key)
            with range_of(name):
                return original(*args, **kwargs)

        return attention

    # Calls of models.

    def _enter(
        self, local: Local, root: torch.nn.Module, args: Any, kwargs: dict[str, Any]
    ) -> None:
        self._gate.look()
        if self._hosts.appeared():
            self._hosts.collect()
            self._patches.spread()
        frame = self._context.here
        live = self._by_root.get(id(root))
        if live is None or live.root() is not root or live.fingerprint.stale(root):
            live = self._by_root[id(root)] = Live(root)
            if not live.plan.bare:
                live.plan.bare = not self._patches.search(root)
        plan = live.plan
        local.root, local.live, local.nested = root, live, 0
        local.base = frame.component if frame is not None else None
        self._naming.lives[local.base] = live
        local.visits.clear()
        self._hook(root, plan)
        signature = inputs.signature(args, kwargs)
        if plan.unknown(signature):
            self._hosts.hub()
            local.signature = signature
            local.finding = Finding(root, args, kwargs)
            local.mode = Probe(self, local.finding.ledger)
        elif "" in plan.owners:
            local.mode = Watch(self)
        if local.mode is not None:
            local.modes.push(local.mode)
        self._refresh(local)

    def _leave(self, local: Local) -> None:
        finding, live, root = local.finding, local.live, local.root
        if local.mode is not None:
            local.modes.pop(local.mode)
        local.root = local.live = local.finding = local.mode = local.base = None
        self._refresh(local)
        if finding is None or live is None or root is None:
            return
        plan = live.plan
        raised = sys.exc_info()[0] is not None and len(plan.facts) < 1
        if not raised:
            plan.learn(local.signature, finding.facts)
        plan.owners |= finding.owners
        live.repeated = plan.repeated()
        self._hook(root, plan)

    def _hook(self, root: torch.nn.Module, plan: Plan) -> None:
        """Watch the modules that need it, from their next call on."""
        for path in plan.owners - {""}:
            if (id(root), path) in self._hooked:
                continue
            self._hooked.add((id(root), path))
            module = find(root, path)
            if module is None:
                plan.owners.add("")
                return
            entered: threading.local = threading.local()
            self._handles += [
                module.register_forward_pre_hook(self._begin(entered)),
                module.register_forward_hook(self._end(entered), always_call=True),
            ]

    def _begin(self, entered: threading.local) -> Callable[..., None]:
        def begin(module: Any, args: Any) -> None:
            local = self._local
            if local.modes.on or local.compiled or self.failed or not self._installed:
                return
            if local.watch is None:
                local.watch = Watch(self)
            mode = entered.mode = local.watch
            local.modes.push(mode)
            self._refresh(local)

        return begin

    def _end(self, entered: threading.local) -> Callable[..., None]:
        def end(module: Any, args: Any, result: Any) -> None:
            mode, entered.mode = getattr(entered, "mode", None), None
            if mode is not None:
                self._local.modes.pop(mode)
                mode.clear()
                self._refresh(self._local)

        return end

    def _refresh(self, local: Local) -> None:
        """Allow the short way where nothing has to be looked at."""
        short = not (local.modes.on or local.depth or local.compiled or self.failed)
        if short and self._installed:
            live = local.live
            if live is None:
                frame = self._context.here
                live = self._naming.lives.get(frame.component) if frame is not None else None
            local.names = live.names if live is not None else NONE
        else:
            local.names = NONE

    # Names of calls.

    def _reading_name(
        self, local: Local, via: str, reading: Reading, unseen: bool, key: Any
    ) -> str:
        frame, spot, live = self._naming.here(local)
        if local.finding is not None:
            fact = local.finding.judged(spot, reading, reading.seen.causal)
            if unseen:
                local.finding.owners.add(self._naming.path(local, frame))
            name = self._naming.name(frame, via, reading.seen, fact, chain=False)
        else:
            name = self._naming.later(local, live, frame, spot, via, reading.seen, chain=False)
        cacheable = (
            key is not None
            and local.names is not NONE
            and (live is None or spot[:2] not in live.repeated)
            and type(reading.query) in _PLAIN
            and key[7] in _UNMASKED
            and (key[9] is None or key[9][0] in _UNMASKED)
        )
        if cacheable:
            pattern = self._naming.pattern(live, frame, spot, via, reading.seen)
            if pattern is not None and len(key[3]) == 4:
                local.names.patterns[pattern_of(key)] = pattern
            local.names.keep(key, name)
        return name

    def _mark(self, via: str, seen: Seen, chain: Chain | None) -> None:
        local = self._local
        if local.depth or local.compiled or self.failed or not self._installed:
            return
        try:
            frame, spot, live = self._naming.here(local)
            if local.finding is not None:
                fact = local.finding.judged(spot, chain, seen.causal)
                if chain is not None:
                    local.finding.owners.add(self._naming.path(local, frame))
                name = self._naming.name(frame, via, seen, fact, chain=True)
            else:
                name = self._naming.later(local, live, frame, spot, via, seen, chain=True)
            mark(name)
        except Exception:
            self.fail()

    def _returned(self, finding: Finding, query: Any, result: Any) -> None:
        try:
            finding.returned(query, result)
        except Exception:
            self.fail()
