"""Rules as the tables of the tests write them."""

from __future__ import annotations

from genscope.analysis.categories import Rule


def shown(rule: Rule | None) -> str | None:
    """`category`, or `category/child`; None for no rule."""
    if rule is None:
        return None
    return f"{rule.category}/{rule.sub}" if rule.sub else rule.category
