// The JSON of the routes of the page Speedup, as `genscope.analysis.speedup.results` defines it.
// A speedup is the baseline's time over the fused run's: above 1, fused is faster.

import type { Basis, FileError, TraceWarning } from "./types";

/** One of the two runs; `implementations` and `dtypes` count calls. */
export interface RunSide {
  trace: string;
  devices: string[];
  attention: string | null;
  wall_ns: number;
  sum_ns: number;
  busy_ns: number;
  attention_ns: number;
  calls: number;
  implementations: Record<string, number>;
  dtypes: Record<string, number>;
  steps: number;
}

/** How long both took in one way of measuring; `low` and `high` are of single repeats. */
export interface Measure {
  name: string;
  baseline_ns: number;
  fused_ns: number;
  speedup: number | null;
  low: number | null;
  high: number | null;
}

/** `scope` is category (all time of Attention) or aligned (the calls that both runs have). */
export interface ModuleSpeedup {
  scope: string;
  calls: number | null;
  baseline_ns: number;
  fused_ns: number;
  speedup: number | null;
}

/** Time outside attention in both runs; overlap counts below 0. */
export interface Change {
  name: string;
  kind: string;
  baseline_ns: number;
  fused_ns: number;
  delta_ns: number;
}

/** What attention alone explains, and what else changed; the changes add up to the difference. */
export interface Amdahl {
  measure: string;
  baseline_ns: number;
  fused_ns: number;
  attention_baseline_ns: number;
  attention_fused_ns: number;
  attention_share: number;
  module_speedup: number | null;
  predicted_ns: number;
  predicted_speedup: number | null;
  limit_ns: number;
  limit_speedup: number | null;
  measured_speedup: number | null;
  difference_ns: number;
  changes: Change[];
}

export interface CategoryShift {
  category: string;
  baseline_ns: number;
  fused_ns: number;
  delta_ns: number;
  baseline_share: number;
  fused_share: number;
  speedup: number | null;
}

export interface Bottleneck {
  before: string;
  before_share: number;
  after: string;
  after_share: number;
}

/** Aligned calls that are alike; `low` and `high` are of the speedups of single calls. */
export interface GroupSpeedup {
  by: string;
  name: string | null;
  calls: number;
  baseline_ns: number;
  fused_ns: number;
  speedup: number | null;
  baseline_median_ns: number;
  fused_median_ns: number;
  median_speedup: number | null;
  low: number | null;
  high: number | null;
}

export interface ShapeSpeedup extends GroupSpeedup {
  pass: string;
  kind: string | null;
  axis: string | null;
  batch: number | null;
  heads: number | null;
  kv_heads: number | null;
  q_len: number | null;
  kv_len: number | null;
  head_dim: number | null;
  v_head_dim: number | null;
  dtype: string | null;
  causal: boolean | null;
  mask: string | null;
  baseline_implementation: string | null;
  fused_implementation: string | null;
}

/** A call that both runs make; each index is that of the run's page Attention. */
export interface AlignedCall {
  baseline_index: number;
  fused_index: number;
  pass: string;
  component: string | null;
  kind: string | null;
  axis: string | null;
  phase: string | null;
  layer: number | null;
  step: number | null;
  batch: number | null;
  heads: number | null;
  q_len: number | null;
  kv_len: number | null;
  head_dim: number | null;
  baseline_implementation: string | null;
  fused_implementation: string | null;
  baseline_start_ns: number;
  fused_start_ns: number;
  baseline_ns: number;
  fused_ns: number;
  speedup: number | null;
  note: string | null;
}

/** A call that only one of the runs makes. */
export interface UnalignedCall {
  run: string;
  index: number;
  pass: string;
  component: string | null;
  kind: string | null;
  axis: string | null;
  batch: number | null;
  heads: number | null;
  q_len: number | null;
  kv_len: number | null;
  implementation: string | null;
  start_ns: number;
  time_ns: number;
  reason: string;
}

/** A window of the aligned or the unaligned calls. */
export interface AlignedWindow<T> {
  schema_version: number;
  view: "aligned";
  which: "aligned" | "unaligned";
  total: number;
  first: number;
  sort: string | null;
  descending: boolean;
  calls: T[];
}

export interface Speedup {
  schema_version: number;
  view: "speedup";
  mode: string;
  baseline: RunSide;
  fused: RunSide;
  /** Why the one is the baseline. */
  roles: string;
  /** Null where the two differ: then only wall times are compared. */
  basis: Basis | null;
  sentence: string;
  end_to_end: Measure[];
  module: ModuleSpeedup[];
  amdahl: Amdahl[];
  bottleneck: Bottleneck | null;
  categories: CategoryShift[];
  groups: GroupSpeedup[];
  shapes: ShapeSpeedup[];
  aligned: number;
  unaligned_baseline: number;
  unaligned_fused: number;
  unaligned_reasons: Record<string, number>;
  warnings: TraceWarning[];
}

/** Calls of one shape; `speedups` are by implementation, over the one that was recorded. */
export interface PredictedShape {
  name: string;
  pass: string;
  implementation: string | null;
  calls: number;
  time_ns: number;
  speedups: Record<string, number>;
  reason: string | null;
}

/** What the run would take with another implementation: predicted, not measured. */
export interface PredictedRun {
  implementation: string;
  attention_ns: number;
  total_ns: number;
  speedup: number | null;
  module_speedup: number | null;
  covered_share: number;
  calls: number;
}

export interface Prediction {
  schema_version: number;
  view: "speedup";
  mode: string;
  run: RunSide;
  basis: Basis;
  /** What the figures were measured on. */
  source: string | null;
  sentence: string;
  attention_share: number;
  limit_speedup: number | null;
  predicted: PredictedRun[];
  shapes: PredictedShape[];
  warnings: TraceWarning[];
}

/** Times measured shape by shape, in a file under the logdir, that a run can be predicted from. */
export interface TableInfo {
  id: string;
  source: string;
  trace: string;
  device: string;
  device_name: string;
  shapes: number;
  implementations: string[];
}

/** Runs of one workload, by their ids; `alone` has the others, each with the reason. */
export interface Pairing {
  pairs: { baseline: string; fused: string; reason: string }[];
  alone: Record<string, string>;
  tables?: TableInfo[];
  /** Files that cannot be used. */
  errors?: FileError[];
}
