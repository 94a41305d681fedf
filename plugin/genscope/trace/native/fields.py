"""The numbers of the fields that are read, by message, as perfetto_trace.proto has them."""

from __future__ import annotations


class Packet:
    """TracePacket."""

    TIMESTAMP = 8
    SEQUENCE = 10
    TRACK_EVENT = 11
    INTERNED = 12
    FLAGS = 13
    CLEARED = 41
    DROPPED = 42
    CLOCK_SNAPSHOT = 6
    PROCESS = 43
    THREAD = 44
    COMPRESSED = 50
    CLOCK = 58
    DEFAULTS = 59
    TRACK = 60


FLAG_CLEARED = 1
"""Bit of `Packet.FLAGS`: what was interned on this sequence is forgotten."""


class Event:
    """TrackEvent."""

    DELTA_US = 1
    CATEGORY_IIDS = 3
    ANNOTATIONS = 4
    LEGACY = 6
    TYPE = 9
    NAME_IID = 10
    TRACK = 11
    ABSOLUTE_US = 16
    CATEGORIES = 22
    NAME = 23
    FLOWS_OLD = 36
    ENDS_OLD = 42
    FLOWS = 47
    ENDS = 48


BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4
"""Values of `Event.TYPE`."""


class Legacy:
    """TrackEvent.LegacyEvent."""

    NAME_IID = 1
    PHASE = 2
    DURATION_US = 3
    PID = 18
    TID = 19


class Interned:
    """InternedData; each entry has an `iid` (1) and its text (2)."""

    CATEGORIES = 1
    NAMES = 2
    ANNOTATION_NAMES = 3
    STRINGS = 29


class Annotation:
    """DebugAnnotation."""

    NAME_IID = 1
    NAME = 10
    BOOL = 2
    UINT = 3
    INT = 4
    DOUBLE = 5
    STRING = 6
    POINTER = 7
    NESTED = 8
    JSON = 9
    DICT = 11
    ARRAY = 12
    STRING_IID = 17


class Nested:
    """DebugAnnotation.NestedValue, the older way of lists and objects."""

    TYPE = 1
    KEYS = 2
    DICT_VALUES = 3
    ARRAY = 4
    INT = 5
    DOUBLE = 6
    BOOL = 7
    STRING = 8


class Descriptor:
    """TrackDescriptor."""

    UUID = 1
    NAMES = (2, 10, 13)
    PROCESS = 3
    THREAD = 4
    PARENT = 5


class Process:
    """ProcessDescriptor."""

    PID = 1
    NAME = 6


class Thread:
    """ThreadDescriptor."""

    PID = 1
    TID = 2
    NAME = 5
    REFERENCE_US = 6


class Defaults:
    """TracePacketDefaults, and in it TrackEventDefaults."""

    EVENT = 11
    EVENT_TRACK = 11
    CLOCK = 58


class Clock:
    """ClockSnapshot, and in it Clock."""

    CLOCKS = 1
    PRIMARY = 2
    ID = 1
    TIME = 2
    INCREMENTAL = 3
    MULTIPLIER = 4


REALTIME, BOOTTIME = 1, 6
"""Ids of clocks; those from 64 to 127 mean something on their own sequence only."""

SEQUENCE_CLOCKS = range(64, 128)

PASSED_OVER: dict[int, str] = {
    1: "ftrace_events",
    2: "process_tree",
    4: "inode_file_map",
    5: "chrome_events",
    7: "sys_stats",
    9: "process_stats",
    34: "ftrace_stats",
    37: "profile_packet",
    38: "battery",
    39: "android_log",
    40: "power_rails",
    49: "perfetto_metatrace",
    51: "chrome_metadata",
    52: "gpu_counter_event",
    53: "gpu_render_stage_event",
    54: "streaming_profile_packet",
    57: "graphics_frame_event",
    62: "vulkan_memory_event",
    65: "vulkan_api_event",
    66: "perf_sample",
    67: "cpu_info",
    73: "memory_tracker_snapshot",
    95: "etw_events",
    128: "gpu_info",
    133: "zstd_compressed_packets",
    135: "stack_sample",
}
"""Data of packets that hold something, but no track events."""

HOUSEKEEPING = frozenset({33, 35, 36, 45, 46, 48, 69, 72, 82, 89, 90, 109, 113, 124, 126})
"""Data of packets that tell of the recording itself; nobody misses it."""

DATA = frozenset(
    {
        *PASSED_OVER, *HOUSEKEEPING, Packet.TRACK_EVENT, Packet.CLOCK_SNAPSHOT, Packet.PROCESS,
        Packet.THREAD, Packet.COMPRESSED, Packet.TRACK,
    }
)  # fmt: skip
"""Fields of a packet that are its data."""

VARINTS_OF_PACKET = frozenset({3, 8, 10, 13, 41, 42, 58, 79, 87, 98})
"""Fields of a packet that are numbers; any other known one is a message or bytes."""

HIGHEST_OF_PACKET = 1999
