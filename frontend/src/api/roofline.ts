// The answers of the routes `roofline` and `work`. Units are in the names of fields; null is
// unknown.

import type { Basis, TraceWarning } from "./types";

export type Bound = "compute" | "bandwidth" | "launch" | "neither" | "transfer";

/** Peak rates: FLOP/s by dtype, without sparsity; bytes/s. */
export interface DeviceRates {
  name: string;
  source: string;
  bandwidth: number;
  matrix: Record<string, number>;
  vector: Record<string, number>;
}

/** A group of ops beside the rates of the device. */
export interface RoofFigures {
  name: string;
  calls: number;
  launches: number;
  time_ns: number;
  /** Part of the group's whole time that is behind these figures. */
  covered: number;
  flops: number;
  moved_bytes: number;
  /** FLOPs over bytes moved. */
  intensity: number | null;
  flops_per_s: number | null;
  bytes_per_s: number | null;
  /** Time that the rates allow. */
  roof_ns: number | null;
  roof_flops_per_s: number | null;
  efficiency: number | null;
  /** Time above it. */
  saving_ns: number | null;
  bound: Bound | null;
  bound_ns: Record<string, number>;
}

/** All calls of one op with the same shapes. */
export interface RoofOp extends RoofFigures {
  shapes: string | null;
  dtype: string | null;
  category: string;
}

/** A component by the paper's intensity: FLOPs over the bytes of its parameters. */
export interface Capacity {
  component: string;
  parameters: number | null;
  parameter_bytes: number;
  calls: number;
  flops: number;
  intensity: number;
  intensity_per_call: number;
  moved_intensity: number | null;
}

export interface Roofline {
  trace: string;
  basis: Basis;
  basis_sum_ns: number;
  /** As the trace has it. */
  device_name: string | null;
  device: DeviceRates | null;
  /** The device was chosen, and is not the trace's own. */
  as_if: boolean;
  /** Names that can be chosen. */
  devices: string[];
  ridge: number | null;
  high_share: number;
  launch_ns: number;
  whole: RoofFigures;
  categories: RoofFigures[];
  components: RoofFigures[];
  phases: RoofFigures[];
  /** Largest saving first; most time first without rates. */
  ops: RoofOp[];
  ops_total: number;
  capacity: Capacity[];
  sentence: string;
  warnings: TraceWarning[];
}

/** The work behind a row of the operators' drill-down. */
export interface RowWork {
  /** Names of the rows that it stands under, and its own. */
  path: string[];
  flops: number | null;
  moved_bytes: number | null;
  flops_per_s: number | null;
  intensity: number | null;
}

export interface OperatorWork {
  trace: string;
  rows: RowWork[];
  sentence: string;
  warnings: TraceWarning[];
}
