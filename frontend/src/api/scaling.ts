// The JSON of the route of the page Scaling, as `genscope.analysis.scaling` defines it.

import type { TraceWarning } from "./types";

/** What an amount, a fit and a crossover are of. */
export type Group = "total" | "category" | "component" | "kind" | "axis";

/** What can grow; the last two are figures of a run, not of a part of it. */
export type Metric =
  | "time_ns"
  | "flops"
  | "moved_bytes"
  | "score_bytes"
  | "written_score_bytes"
  | "largest_score_bytes"
  | "peak_memory_bytes";

/** What one part of a run took. */
export interface Amount {
  group: Group;
  name: string;
  /** Of kinds and axes: the component that they are a part of; null for the whole run. */
  component: string | null;
  time_ns: number;
  flops: number;
  unknown_ns: number;
  moved_bytes: number | null;
  score_bytes: number;
  written_score_bytes: number;
  calls: number;
}

/** One run of a sweep. */
export interface ScalingPoint {
  run: string;
  /** Of the swept parameter. */
  value: number;
  label: string;
  implementation: string | null;
  /** Steps that the figures were divided by; null where they are of the whole run. */
  steps: number | null;
  unknown_share: number;
  amounts: Amount[];
  largest_score_bytes: number;
  peak_memory_bytes: number | null;
}

/** value = factor · parameter ** exponent; `slope` of two points says nothing about a third. */
export interface ScalingFit {
  group: Group;
  name: string;
  component: string | null;
  metric: Metric;
  points: number;
  runs: number;
  exponent: number | null;
  error: number | null;
  slope: number | null;
  factor: number | null;
  r2: number | null;
  deviation: number | null;
  share: number | null;
  reason: string | null;
}

/** Which category grows fastest in one metric. */
export interface ScalingGrowth {
  metric: Metric;
  fastest: string | null;
  exponent: number | null;
  second: string | null;
  second_exponent: number | null;
  clear: boolean;
  attention_exponent: number | null;
  convolution_exponent: number | null;
  faster: string | null;
}

/** Where `upper` overtakes `lower` as the parameter grows. */
export interface ScalingCrossover {
  group: Group;
  component: string | null;
  metric: Metric;
  upper: string;
  lower: string;
  value: number;
  label: string;
  measured: boolean;
  between: [number, number] | null;
  /** Of a predicted one: where the fits meet and where the lines through the last points do. */
  low: number | null;
  high: number | null;
  upper_exponent: number | null;
  lower_exponent: number | null;
  points: number;
}

/** Runs of a sweep that compute attention alike. */
export interface ScalingLine {
  role: "baseline" | "fused";
  attention: string | null;
  reason: string;
  points: ScalingPoint[];
  fits: ScalingFit[];
  growth: ScalingGrowth[];
  crossovers: ScalingCrossover[];
}

/** How growth changes from a baseline line to a fused one. */
export interface ScalingChange {
  metric: Metric;
  baseline: number;
  fused: number;
  before: string | null;
  after: string | null;
  fastest_before: string | null;
  fastest_after: string | null;
  attention_before: number | null;
  attention_after: number | null;
  convolution_before: number | null;
  convolution_after: number | null;
}

/** Runs of one model that differ in one parameter. */
export interface ScalingSweep {
  name: string;
  model: string | null;
  parameter: string;
  unit: string;
  found_by: string;
  fixed: Record<string, string>;
  basis: string;
  devices: string[];
  values: number[];
  /** Figures are of one step. */
  per_step: boolean;
  lines: ScalingLine[];
  changes: ScalingChange[];
  sentence: string;
  warnings: TraceWarning[];
}

export interface Scaling {
  schema_version: number;
  view: "scaling";
  by: string | null;
  sweeps: ScalingSweep[];
  left_out: { run: string; reason: string }[];
  sentence: string;
  warnings: TraceWarning[];
}
