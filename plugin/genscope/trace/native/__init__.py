"""Reading native Perfetto traces: the track events in them, without protobuf.

A native trace is a sequence of packets. `packets` cuts the stream into blocks of whole ones,
`wire` takes all messages of a block apart at once, `fields` has the numbers of the fields, `state`
keeps what later packets of a writer refer to (interned text, defaults, clocks), `tracks` says
which process and thread a track is, `args` reads debug annotations, `rows` pairs what begins with
what ends, and `events` puts it all into the columns of a `Trace`.
"""
