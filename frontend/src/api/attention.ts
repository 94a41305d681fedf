// The answers of the routes `attention`, `calls` and `sequence`. Units are in the names of fields;
// start times are relative to the first event of the trace; null is unknown.

import type { TraceWarning } from "./types";

export interface AttentionCall {
  index: number;
  pass: string;
  forward_index: number | null;
  start_ns: number;
  /** Where its first kernel starts. */
  device_start_ns: number | null;
  device_ns: number | null;
  cpu_ns: number;
  layout_ns: number | null;
  flops: number | null;
  moved_bytes: number | null;
  /** Over `device_ns`, or `cpu_ns` without a device. */
  flops_per_s: number | null;
  /** FLOPs over bytes moved. */
  intensity: number | null;
  batch: number | null;
  heads: number | null;
  kv_heads: number | null;
  q_len: number | null;
  kv_len: number | null;
  q_tokens: number | null;
  head_dim: number | null;
  v_head_dim: number | null;
  dtype: string | null;
  causal: boolean | null;
  mask: string | null;
  kind: string | null;
  axis: string | null;
  implementation: string | null;
  phase: string | null;
  component: string | null;
  module: string | null;
  layer: number | null;
  step: number | null;
  /** Where figures come from that the op's own shapes do not give, or why they are missing. */
  reason: string | null;
}

/** Calls that are alike in everything but place and time. */
export interface AttentionGroup {
  pass: string;
  component: string | null;
  kind: string | null;
  axis: string | null;
  implementation: string | null;
  phase: string | null;
  batch: number | null;
  heads: number | null;
  kv_heads: number | null;
  q_len: number | null;
  kv_len: number | null;
  head_dim: number | null;
  causal: boolean | null;
  dtype: string | null;
  calls: number;
  time_ns: number;
  share: number;
  first_index: number;
}

export interface Attention {
  trace: string;
  basis: string;
  passes: string[];
  /** Time of the category Attention of all passes. */
  category_ns: number;
  time_ns: number;
  without_shapes: number;
  groups: AttentionGroup[];
  calls_total: number;
  warnings: TraceWarning[];
}

/** A window of the sorted list of calls. */
export interface Calls {
  total: number;
  first: number;
  calls: AttentionCall[];
}

/** Calls `first` to `last` of the sequence repeat `length` of them. */
export interface FoundPeriod {
  component: string | null;
  length: number;
  first: number;
  last: number;
  repeats: number;
  edits: number;
  lengths: number[];
}

/** Lengths that grow with every round of `calls` calls. */
export interface FoundGrowth {
  of: "q_len" | "kv_len";
  calls: number;
  by: number;
  first: number;
  last: number;
  from_length: number;
  to_length: number;
}

/** Calls of one query length. */
export interface Level {
  q_len: number;
  /** Smallest and largest. */
  kv_lens: [number, number];
  calls: number;
  time_ns: number;
  share: number;
  kinds: Record<string, number>;
  modules: string[];
  modules_left: number;
}

export interface SeriesGroup {
  component: string | null;
  kind: string | null;
  axis: string | null;
  implementation: string | null;
}

/** Calls in order, as columns of equal length: every one, or some to stand for the rest. */
export interface Series {
  /** Places in the sequence, from 0, the last included. */
  first: number;
  last: number;
  total: number;
  /** How many calls stand behind one, on average. */
  each: number;
  /** Place in the sequence. */
  place: number[];
  /** Place among all calls of the trace. */
  index: number[];
  start_ns: number[];
  q_len: number[];
  kv_len: number[];
  time_ns: number[];
  /** Index into `groups`. */
  group: number[];
  groups: SeriesGroup[];
}

export interface Sequence {
  trace: string;
  basis: string;
  calls: number;
  without_shapes: number;
  time_ns: number;
  q_range: [number, number] | null;
  kv_range: [number, number] | null;
  period: FoundPeriod | null;
  growth: FoundGrowth | null;
  /** By query length, the longest first. */
  levels: Level[];
  levels_left: number;
  series: Series;
  sentence: string;
  warnings: TraceWarning[];
}
