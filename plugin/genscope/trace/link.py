"""What belongs to what: device event to launch to op, annotation and module; backward to forward.

A device event's `correlation` names the runtime call that launched it; the innermost op,
annotation or nn.Module frame around that call, by time on its thread, is what it belongs to.
Flow events are not needed for that (most are missing under CUDA graphs), and `External id` is
used only where no op encloses the launch. What cannot be linked keeps -1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from genscope.trace.kinds import GRAPH_LAUNCH_WORD, LAUNCH_WORDS
from genscope.trace.model import NONE, Events, Int32, Int64, Kind, Links
from genscope.trace.nest import Nest

MODULE_PREFIX = "nn.Module: "
_ENGINE_PREFIX = "autograd::engine::evaluate_function"


def rows_named(
    events: Events, strings: Sequence[str], rows: Int64, test: Callable[[str], object]
) -> Int64:
    """Return those of `rows` for whose name `test` holds; it is asked once a distinct name."""
    wanted = np.zeros(len(strings), dtype=np.bool_)
    for index in np.unique(events.name[rows]).tolist():
        wanted[index] = bool(test(strings[index]))
    return rows[wanted[events.name[rows]]] if len(rows) else rows


def is_launch_name(name: str) -> bool:
    """Whether a runtime call of this name puts a kernel on a device."""
    return any(word in name for word in LAUNCH_WORDS)


def link(events: Events, strings: Sequence[str], flows: Int64) -> Links:
    """Derive all links. `flows` has shape (k, 4): id, track, start, and 1 for a head.

    Nothing is dropped: what has no partner gets -1.
    """
    count = len(events)
    end = events.end_ns
    ops = np.flatnonzero(events.kind == Kind.CPU_OP)
    op_nest = Nest(ops, events.track, events.start_ns, end)
    parent = np.full(count, NONE, dtype=np.int32)
    rows, outer = op_nest.parents()
    parent[rows] = outer

    device = np.flatnonzero(events.is_device)
    launch = np.full(count, NONE, dtype=np.int32)
    launch[device] = _launches(events, device)
    has_launch = device[launch[device] >= 0]
    launches = launch[has_launch].astype(np.int64)
    graphs = rows_named(events, strings, launches, lambda name: GRAPH_LAUNCH_WORD in name)
    graph_launch = np.zeros(count, dtype=np.bool_)
    graph_launch[has_launch] = np.isin(launches, graphs)

    op = np.full(count, NONE, dtype=np.int32)
    op[ops] = ops
    op[has_launch] = _around(op_nest, events, launches)
    _by_external_id(events, op, has_launch, launches, ops)

    points = np.concatenate([ops, has_launch])
    at = np.concatenate([ops, launches])
    annotation = np.full(count, NONE, dtype=np.int32)
    annotations = np.flatnonzero(events.kind == Kind.ANNOTATION)
    annotation[points] = _around(Nest(annotations, events.track, events.start_ns, end), events, at)

    module = np.full(count, NONE, dtype=np.int32)
    module_parent = np.full(count, NONE, dtype=np.int32)
    python = np.flatnonzero(events.kind == Kind.PYTHON)
    frames = rows_named(events, strings, python, lambda name: name.startswith(MODULE_PREFIX))
    if len(frames):
        nest = Nest(frames, events.track, events.start_ns, end)
        rows, outer = nest.parents()
        module_parent[rows] = outer
        module[points] = _around(nest, events, at)

    links = Links(
        parent=parent,
        launch=launch,
        op=op,
        annotation=annotation,
        module=module,
        module_parent=module_parent,
        forward_op=np.full(count, NONE, dtype=np.int32),
        in_backward=np.zeros(count, dtype=np.bool_),
        in_recompute=np.zeros(count, dtype=np.bool_),
        graph_launch=graph_launch,
    )
    _link_backward(events, strings, flows, ops, op_nest, links)
    return links


def _around(nest: Nest, events: Events, rows: Int64) -> Int64:
    return nest.enclosing(events.track[rows], events.start_ns[rows])


def _launches(events: Events, device: Int64) -> Int64:
    """Runtime call of each device event; of several with one id the last one before it."""
    calls = np.flatnonzero((events.kind == Kind.RUNTIME) & (events.correlation > 0))
    found = np.full(len(device), NONE, dtype=np.int64)
    if not len(calls) or not len(device):
        return found
    calls = calls[np.lexsort((events.start_ns[calls], events.correlation[calls]))]
    ids = events.correlation[calls]
    wanted = events.correlation[device]
    first = np.searchsorted(ids, wanted, side="left")
    behind = np.searchsorted(ids, wanted, side="right")
    known = (behind > first) & (wanted > 0)
    found[known] = calls[first[known]]
    for index in np.flatnonzero(known & (behind - first > 1)).tolist():
        same = calls[first[index] : behind[index]]
        before = same[events.start_ns[same] <= events.start_ns[device[index]]]
        found[index] = before[-1] if len(before) else same[0]
    return found


def _by_external_id(events: Events, op: Int32, device: Int64, launches: Int64, ops: Int64) -> None:
    """Give launches outside any op the op with their `External id` that is open at that time."""
    lost = np.flatnonzero((op[device] == NONE) & (events.external_id[launches] > 0))
    if not len(lost) or not len(ops):
        return
    order = ops[np.argsort(events.external_id[ops], kind="stable")]
    ids = events.external_id[order]
    wanted = events.external_id[launches[lost]]
    position = np.searchsorted(ids, wanted, side="right") - 1
    candidate = order[np.maximum(position, 0)]
    time = events.start_ns[launches[lost]]
    fits = (
        (events.external_id[candidate] == wanted)
        & (events.start_ns[candidate] <= time)
        & (time < events.start_ns[candidate] + events.dur_ns[candidate])
    )
    op[device[lost[fits]]] = candidate[fits]


def _is_backward_name(name: str) -> bool:
    return name.startswith(_ENGINE_PREFIX) or name.rstrip("0123456789").endswith("Backward")


def _link_backward(
    events: Events,
    strings: Sequence[str],
    flows: Int64,
    ops: Int64,
    op_nest: Nest,
    links: Links,
) -> None:
    """Find the ops that run in backward, what they recompute, and their forward ops.

    A backward node is an op with a `Fwd thread id` above 0 or a name that the engine gives.
    The forward op of a node is the other end of its `fwdbwd` flow, else the innermost forward op
    before it with its sequence number; everything inside a node has the node's forward op.
    """
    named = rows_named(events, strings, ops, _is_backward_name)
    nodes = np.union1d(ops[events.forward_thread[ops] > 0], named)
    if not len(nodes):
        return
    nest = Nest(nodes, events.track, events.start_ns, events.end_ns)
    node_of = nest.enclosing(events.track[ops], events.start_ns[ops])
    inside = node_of >= 0
    links.in_backward[ops[inside]] = True

    is_node = np.zeros(len(events), dtype=np.bool_)
    is_node[nodes] = True
    again = inside & (events.sequence[ops] >= 0) & ~is_node[ops]
    recomputed = ops[again & (events.forward_thread[ops] <= 0)]
    if len(recomputed):
        inner = Nest(recomputed, events.track, events.start_ns, events.end_ns)
        within = inner.enclosing(events.track[ops], events.start_ns[ops]) >= 0
        links.in_recompute[ops[within & ~is_node[ops] & inside]] = True

    forward_of = np.full(len(events), NONE, dtype=np.int32)
    with_sequence = nodes[events.sequence[nodes] >= 0]
    forward = ops[(events.sequence[ops] >= 0) & (events.forward_thread[ops] <= 0) & ~is_node[ops]]
    forward = forward[~links.in_backward[forward]]
    forward_of[with_sequence] = _last_with_sequence(events, forward, with_sequence)
    _by_flow(events, flows, op_nest, nest, forward_of)

    rows, outer = nest.parents()
    for row, around in zip(rows.tolist(), outer.tolist(), strict=True):
        if forward_of[row] == NONE and around != NONE:
            forward_of[row] = forward_of[around]
    links.forward_op[ops[inside]] = forward_of[node_of[inside]]
    links.forward_op[links.in_recompute] = NONE


def _last_with_sequence(events: Events, forward: Int64, nodes: Int64) -> Int64:
    """Row of the last op of `forward` with the number of each node and a start not after it."""
    both = np.concatenate([forward, nodes])
    is_node = np.arange(len(both)) >= len(forward)
    order = np.lexsort((is_node, events.start_ns[both], events.sequence[both]))
    latest = np.maximum.accumulate(np.where(is_node[order], NONE, np.arange(len(both))))
    found = np.full(len(both), NONE, dtype=np.int64)
    candidate = both[order[np.maximum(latest, 0)]]
    same = (latest >= 0) & (events.sequence[candidate] == events.sequence[both[order]])
    found[order] = np.where(same, candidate, NONE)
    return found[len(forward) :]


def _by_flow(events: Events, flows: Int64, op_nest: Nest, nodes: Nest, forward_of: Int32) -> None:
    """Let `fwdbwd` flows say the forward op of the backward node at their head."""
    tails = flows[flows[:, 3] == 0]
    heads = flows[flows[:, 3] == 1]
    if not len(tails) or not len(heads):
        return
    tails = tails[np.argsort(tails[:, 0], kind="stable")]
    position = np.searchsorted(tails[:, 0], heads[:, 0])
    position = np.minimum(position, len(tails) - 1)
    known = tails[position, 0] == heads[:, 0]
    tails, heads = tails[position[known]], heads[known]
    sources = op_nest.enclosing(tails[:, 1].astype(np.int32), tails[:, 2])
    targets = nodes.enclosing(heads[:, 1].astype(np.int32), heads[:, 2])
    both = (sources >= 0) & (targets >= 0) & (sources != targets)
    forward_of[targets[both]] = sources[both]
