"""Small results made by hand, for what the command line does with a result."""

from __future__ import annotations

from typing import Any

from genscope.analysis.results import (
    CategoryRow,
    DeviceInfo,
    ModuleRow,
    Operators,
    PassRow,
    Row,
)
from genscope.trace import TraceWarning

MS = 1_000_000


def node(name: str, level: str, ns: int, total: int, *children: Row, rule: str = "op: x") -> Row:
    return Row(
        name=name,
        level=level,
        rule=rule,
        children=list(children),
        sum_ns=ns,
        busy_ns=ns,
        unlinked_ns=0,
        share=ns / total if total else 0.0,
        launches=2,
        host_launches=2,
        calls=1,
    )


def operators(
    categories: dict[str, int],
    *,
    basis: str = "device",
    names: dict[str, str] | None = None,
    unlinked: dict[str, int] | None = None,
    warnings: tuple[str, ...] = (),
) -> Operators:
    """A result with one op and one kernel in each category; `names` renames the kernels."""
    names = names or {}
    unlinked = unlinked or {}
    total = sum(categories.values())

    def category(name: str, ns: int) -> CategoryRow:
        kernel = node(names.get(name, f"{name.lower()}_kernel"), "kernel", ns, total)
        return CategoryRow(
            category=name,
            children=[node(f"aten::{name.lower()}", "op", ns, total, kernel)],
            sum_ns=ns,
            busy_ns=ns,
            unlinked_ns=unlinked.get(name, 0),
            share=ns / total if total else 0.0,
            launches=2,
            host_launches=2,
            calls=1,
        )

    whole: dict[str, Any] = {
        "sum_ns": total,
        "busy_ns": total,
        "unlinked_ns": 0,
        "share": 1.0,
        "launches": 4,
        "host_launches": 4,
        "calls": 2,
    }
    device = basis == "device"
    return Operators(
        trace="made.json",
        base_ns="1700000000000000000",
        rank=None,
        basis=basis,
        basis_sum_ns=total,
        device_sum_ns=total if device else 0,
        device_busy_ns=total if device else 0,
        wall_ns=2 * total,
        unlinked_ns=sum(unlinked.values()),
        devices=[DeviceInfo(index=0, name="GPU", sum_ns=total, busy_ns=total)] if device else [],
        categories=[category(name, ns) for name, ns in categories.items()],
        passes=[PassRow(pass_="forward", categories=categories, **whole)],
        components=[],
        modules=[
            ModuleRow(
                path="unet.down",
                name="Down",
                depth=0,
                self_ns=total,
                categories=categories,
                **whole,
            )
        ],
        warnings=[TraceWarning(code="made", count=1, message=text) for text in warnings],
    )
