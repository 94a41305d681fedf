"""What belongs to what: device event to launch to op, annotation and module; backward to forward.

A device event's `correlation` names the runtime call that launched it; the innermost op,
annotation or module frame around that call, by time on its thread, is what it belongs to.
Flow events are not needed for that (most are missing under CUDA graphs), and `External id` is
used only where no op encloses the launch. What cannot be linked keeps -1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from genscope.schema import COMPONENT, MODULE, PREFIX
from genscope.trace.kinds import GRAPH_LAUNCH_WORD, LAUNCH_WORDS
from genscope.trace.launches import launches as launches_of
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


def link(events: Events, strings: Sequence[str], flows: Int64, process: Int32) -> Links:
    """Derive all links. `flows` has shape (k, 4): id, track, start, and 1 for a head.

    `process`, shape (tracks,), numbers the process of each track: ids are unique within one only.
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
    launch[device] = launches_of(events, device, process)
    has_launch = device[launch[device] >= 0]
    launches = launch[has_launch].astype(np.int64)
    graphs = rows_named(events, strings, launches, lambda name: GRAPH_LAUNCH_WORD in name)
    graph_launch = np.zeros(count, dtype=np.bool_)
    graph_launch[has_launch] = np.isin(launches, graphs)

    op = np.full(count, NONE, dtype=np.int32)
    op[ops] = ops
    op[has_launch] = _around(op_nest, events, launches)
    _by_external_id(events, op, has_launch, launches, ops, process)

    points = np.concatenate([ops, has_launch])
    at = np.concatenate([ops, launches])
    annotation = np.full(count, NONE, dtype=np.int32)
    annotations = np.flatnonzero(events.kind == Kind.ANNOTATION)
    users = rows_named(events, strings, annotations, lambda name: not name.startswith(PREFIX))
    annotation[points] = _around(Nest(users, events.track, events.start_ns, end), events, at)

    module = np.full(count, NONE, dtype=np.int32)
    module_parent = np.full(count, NONE, dtype=np.int32)
    frames = _module_frames(events, strings, annotations)
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
    _link_backward(events, strings, flows, ops, op_nest, links, process)
    return links


def _around(nest: Nest, events: Events, rows: Int64) -> Int64:
    return nest.enclosing(events.track[rows], events.start_ns[rows])


def _module_frames(events: Events, strings: Sequence[str], annotations: Int64) -> Int64:
    """Rows of the frames that tell modules: those of one origin, so that they form one tree."""
    modules = rows_named(events, strings, annotations, lambda name: name.startswith(MODULE))
    if not len(modules):
        python = np.flatnonzero(events.kind == Kind.PYTHON)
        frames = rows_named(events, strings, python, lambda name: name.startswith(MODULE_PREFIX))
        if len(frames):
            return frames
    components = rows_named(events, strings, annotations, lambda name: name.startswith(COMPONENT))
    return np.concatenate([modules, components])


def _by_external_id(
    events: Events, op: Int32, device: Int64, launches: Int64, ops: Int64, process: Int32
) -> None:
    """Give launches outside any op the op with their `External id` that is open at that time."""
    lost = np.flatnonzero((op[device] == NONE) & (events.external_id[launches] > 0))
    if not len(lost) or not len(ops):
        return
    rows = np.concatenate([ops, launches[lost]])
    keys = _within_process(events.external_id[rows], process[events.track[rows]])
    by_key = np.argsort(keys[: len(ops)], kind="stable")
    order, wanted = ops[by_key], keys[len(ops) :]
    position = np.searchsorted(keys[by_key], wanted, side="right") - 1
    candidate = order[np.maximum(position, 0)]
    time = events.start_ns[launches[lost]]
    fits = (
        (position >= 0)
        & (keys[by_key[np.maximum(position, 0)]] == wanted)
        & (events.start_ns[candidate] <= time)
        & (time < events.start_ns[candidate] + events.dur_ns[candidate])
    )
    op[device[lost[fits]]] = candidate[fits]


def _within_process(ids: Int64, process: Int32) -> Int64:
    """Number ids, shape (k,), so that equal ones of two processes are told apart."""
    if not len(ids) or (process == process[0]).all():
        return ids
    known, number = np.unique(ids, return_inverse=True)
    return np.asarray(number + len(known) * process.astype(np.int64), dtype=np.int64)


def _is_backward_name(name: str) -> bool:
    return name.startswith(_ENGINE_PREFIX) or name.rstrip("0123456789").endswith("Backward")


def _link_backward(
    events: Events,
    strings: Sequence[str],
    flows: Int64,
    ops: Int64,
    op_nest: Nest,
    links: Links,
    process: Int32,
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
    forward_of[with_sequence] = _last_with_sequence(events, forward, with_sequence, process)
    _by_flow(events, flows, op_nest, nest, forward_of, process)

    rows, outer = nest.parents()
    for row, around in zip(rows.tolist(), outer.tolist(), strict=True):
        if forward_of[row] == NONE and around != NONE:
            forward_of[row] = forward_of[around]
    links.forward_op[ops[inside]] = forward_of[node_of[inside]]
    links.forward_op[links.in_recompute] = NONE


def _last_with_sequence(events: Events, forward: Int64, nodes: Int64, process: Int32) -> Int64:
    """Row of the last op of `forward` with the number of each node and a start not after it."""
    both = np.concatenate([forward, nodes])
    is_node = np.arange(len(both)) >= len(forward)
    keys = _within_process(events.sequence[both], process[events.track[both]])
    order = np.lexsort((is_node, events.start_ns[both], keys))
    latest = np.maximum.accumulate(np.where(is_node[order], NONE, np.arange(len(both))))
    found = np.full(len(both), NONE, dtype=np.int64)
    place = order[np.maximum(latest, 0)]
    candidate = both[place]
    same = (latest >= 0) & (keys[place] == keys[order])
    found[order] = np.where(same, candidate, NONE)
    return found[len(forward) :]


def _by_flow(
    events: Events,
    flows: Int64,
    op_nest: Nest,
    nodes: Nest,
    forward_of: Int32,
    process: Int32,
) -> None:
    """Let `fwdbwd` flows say the forward op of the backward node at their head."""
    flows = flows.copy()
    flows[:, 0] = _within_process(flows[:, 0], process[flows[:, 1]])
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
