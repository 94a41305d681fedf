// The JSON of the route of the page Phases, as `genscope.analysis.attention.results` defines it.
// Times are in nanoseconds from the first event of the trace; null is unknown.

import type { Basis, TraceWarning } from "./types";

/** What one phase took; `phase` is null for time that nothing tells the phase of. */
export interface PhaseRow {
  phase: string | null;
  sum_ns: number;
  busy_ns: number;
  share: number;
  device_busy_share: number | null;
  attention_ns: number;
  attention_share: number;
  calls: number;
  rounds: number;
  tokens: number | null;
  /** FLOPs over bytes, of the part `intensity_share` of the phase's time. */
  intensity: number | null;
  intensity_share: number;
  /** Why calls are of this phase, and how many of them. */
  reasons: Record<string, number>;
}

/** Neighbouring rounds of one component in one phase. */
export interface Stretch {
  phase: string | null;
  component: string | null;
  start_ns: number;
  dur_ns: number;
  rounds: number;
  reason: string | null;
}

/** How fast the rounds of a component follow each other. */
export interface Pace {
  component: string | null;
  phase: string;
  rounds: number;
  total_ns: number;
  median_ns: number;
}

/** A step of a serving engine, as it annotates it. */
export interface ServedStep {
  name: string;
  start_ns: number;
  dur_ns: number;
  phase: string;
  prefills: number | null;
  decodes: number | null;
  prefill_tokens: number | null;
  decode_tokens: number | null;
}

export interface Phases {
  schema_version: number;
  view: "phases";
  trace: string;
  basis: Basis;
  basis_sum_ns: number;
  wall_ns: number;
  training: boolean;
  phases: PhaseRow[];
  stretches: Stretch[];
  /** Stretches of the trace behind one of `stretches`, on average. */
  each: number;
  time_to_first_token_ns: number | null;
  time_per_token_ns: number | null;
  paces: Pace[];
  served: ServedStep[];
  sentence: string;
  warnings: TraceWarning[];
}
