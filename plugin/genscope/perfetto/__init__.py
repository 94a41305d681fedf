"""Traces for Perfetto: native ones (`native`, of several ranks `merge`), or Chrome JSON (`chrome`).

How a native trace is laid out, which is what reads it back relies on. It is TrackEvent protobufs,
written without the `perfetto` package:

- One packet sequence (id 1). Its first packet clears incremental state, takes a clock snapshot
  and makes clock 64, incremental and in nanoseconds, the default of the sequence: `timestamp` is
  the time since the packet before. Packets are in order of time; at one instant what ends goes
  first, then what is around goes before what is inside. The snapshot sets clock 64 and BOOTTIME
  to 0, the instant of the earliest event, and REALTIME to its epoch time if the trace knows it.
- Interned data comes in packets of its own before the first event: names, categories, names of
  arguments, and the values of arguments that are text.
- A process is a track with a `process` descriptor, a thread one with a `thread` descriptor below
  it. Devices and what has no process id of an operating system are plain named tracks, and so are
  their streams. `sibling_order_rank` gives the order. A slice that overlaps others of its track
  without nesting is on a further track of the same name, below the same parent (for a thread:
  below the thread).
- A slice is a TYPE_SLICE_BEGIN with `name_iid`, `category_iids` (one, the `cat` of the source;
  none where it has none) and `debug_annotations`, and a TYPE_SLICE_END with neither. Instants are
  TYPE_INSTANT on the track of their thread; a counter of the source is a counter track for each
  of its series, below its process, named after the counter and, where it has several, the series.
- Arguments are debug annotations named as in the source: whole numbers of 64 bits as `int_value`,
  other numbers as `double_value`, true and false as `bool_value`, text as `string_value_iid`.
  Lists, objects, null and whole numbers beyond 64 bits are their JSON text as it stands in the
  source, also as `string_value_iid`. A text that begins with `[`, `{` or `"`, or is `null` or a
  row of digits with or without a minus, is itself written as JSON text, with its quotes, so that
  one rule tells both: what begins like that and parses as JSON stands for the value it parses to.
- Flows: the number over 4 is its own; the rest is 1 for launch to device event, 2 for forward op
  to backward op, 0 for others. Of two ends the earlier slice has it in `flow_ids`, the other in
  `terminating_flow_ids`. One flow has two ends. They are what linking found, not the flow events
  of the source.
- What is beside the events: an instant of category `genscope.metadata` on the track
  `Trace metadata`, whose arguments are the top-level members of the source under their own names
  (`baseTimeNanoseconds`, `deviceProperties`, `distributedInfo`, the document `genscope`, …), and
  `genscope.export`, an object:
  `version` 1; `base_ns` (text), the epoch time, as `Trace.base_ns` counts it, at clock BOOTTIME
  0; `origin_ns` (text), the time in the source's own `ts` there; `tracks`, a list of
  [uuid, process, thread, process name, thread name], with ids as in the source, of every track
  that holds its slices or instants; `derived`, the uuids of tracks that exporting added.
- Asynchronous slices of the source (phases b, n, e) are on plain tracks below their process, one
  for each category and more where they overlap; since a `Trace` has no rows of them, their tracks
  are among those of `derived`.
- Several ranks in one file (`merge`) are one packet sequence each, with clock 64 and interned data
  of its own, one behind the other; packets are in order of time within each. Clock 0 is the same
  instant for all. Everything of a rank is below its process, `Rank N`, whose pid is that of its
  busiest process: threads of that are threads, other processes and devices are named tracks. An id
  that an earlier rank has is another one here, in `tracks` too, also `correlation`, `External id`
  and `device` among the arguments. What stood beside the events of a rank is an instant of category
  `genscope.rank`; that of `genscope.metadata` is in a last sequence, with what holds for all.
- Derived tracks are below a track `GenScope`; their slices have categories `genscope.component`,
  `genscope.module`, `genscope.attention`, `genscope.phase`, `genscope.step` and
  `genscope.category`. On the latter no argument `pass` means forward, no `unlinked` means linked,
  and neighbours of one category, pass and thread are one slice where the time is that of CPU ops.
  What reads a trace of ours leaves out the tracks of `derived`.
"""
