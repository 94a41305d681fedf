// The JSON of the routes of the page Space and time, as `genscope.analysis.attention` defines it.

import type { TraceWarning } from "./types";

/** Attention along one axis; `flops` are those of its two products. */
export interface AxisRow {
  axis: string;
  calls: number;
  time_ns: number;
  share: number;
  flops: number;
  flops_per_s: number | null;
  /** Smallest and largest. */
  q_range: [number, number];
  batch_range: [number, number];
  in_batch: string;
  /** Calls whose FLOPs leave out what a causal mask does. */
  causal_calls: number;
  /** Calls that count all keys because nothing tells whether they are causal. */
  causal_unknown: number;
}

/** Attention along one axis in one module. */
export interface AxisLayer {
  component: string | null;
  module: string | null;
  layer: number | null;
  axis: string;
  calls: number;
  time_ns: number;
  flops: number;
  q_len: number;
  batch: number | null;
}

export interface SpaceTime {
  schema_version: number;
  view: "spatial-temporal";
  trace: string;
  /** Device time, or the inclusive time of ops on the CPU. */
  basis: "device" | "cpu";
  /** The filters that it was asked with. */
  selection: unknown;
  frames: number | null;
  axes: AxisRow[];
  layers: AxisLayer[];
  temporal_over_spatial_time: number | null;
  spatial_over_temporal_flops: number | null;
  sentence: string;
  warnings: TraceWarning[];
}

/** What a sweep measures. */
export type Measured = "time_ns" | "flops";

export interface SweepPoint {
  run: string;
  frames: number;
  basis: "device" | "cpu";
  axis: string;
  time_ns: number;
  flops: number;
  calls: number;
}

/** value = factor · frames ** exponent; both null below two numbers of frames. */
export interface SweepFit {
  axis: string;
  of: Measured;
  exponent: number | null;
  factor: number | null;
}

/** Where two fits meet: `measured` if within the frames of the runs, else predicted. */
export interface Crossover {
  of: Measured;
  frames: number;
  measured: boolean;
}

export interface FramesSweep {
  schema_version: number;
  view: "frames";
  points: SweepPoint[];
  fits: SweepFit[];
  crossovers: Crossover[];
  left_out: { run: string; reason: string }[];
  sentence: string;
  warnings: TraceWarning[];
}
