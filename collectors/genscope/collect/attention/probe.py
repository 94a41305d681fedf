"""What one looked-into call of a model tells about its attention."""

from __future__ import annotations

from typing import Any

import torch

from genscope.collect.attention import inputs
from genscope.collect.attention.chains import Chain
from genscope.collect.attention.flow import follow
from genscope.collect.attention.ledger import Ledger, tensors
from genscope.collect.attention.plans import Spot
from genscope.collect.attention.readers import Layout, Reading
from genscope.collect.attention.verdict import Fact, Operand, judge, operand


class Finding:
    """The facts of one call, while it runs."""

    def __init__(self, root: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        self.ledger = Ledger()
        self.facts: dict[Spot, list[Fact]] = {}
        self.owners: set[str] = set()
        self._stream: tuple[Operand, Operand] | None = None
        inputs.register(self.ledger, root, args, kwargs)

    def judged(self, spot: Spot, of: Reading | Chain | None, causal: bool) -> Fact | None:
        """Decide what a call is and remember it. None where too little is known to decide."""
        operands = self._stream
        if operands is None and isinstance(of, Reading):
            if of.query.is_nested or of.key.is_nested:
                return None
            operands = (
                operand(self.ledger.of(of.query), of.query_layout),
                operand(self.ledger.of(of.key), of.key_layout),
            )
        elif operands is None and isinstance(of, Chain):
            operands = of.operands
        if operands is None:
            return None
        fact = judge(self.ledger, *operands, causal)
        self.facts.setdefault(spot, []).append(fact)
        return fact

    def returned(self, query: Any, result: Any) -> None:
        """Note the result of attention whose inside was not followed."""
        if isinstance(query, torch.Tensor):
            for one in tensors(result):
                if self.ledger.find(one) is None and not (one.is_nested or query.is_nested):
                    follow(self.ledger, "", (query,), {}, one)

    def enter(self, query: Any, key: Any, layouts: tuple[Layout, Layout]) -> Any:
        """Describe all attention from here on by `query` and `key`, if they are known."""
        before = self._stream
        known = self.ledger.find(query), self.ledger.find(key)
        if known[0] is not None and known[1] is not None:
            self._stream = operand(known[0], layouts[0]), operand(known[1], layouts[1])
        return before

    def leave(self, before: Any) -> None:
        """Undo `enter`, given what it returned."""
        self._stream = before
