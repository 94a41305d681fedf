// The JSON of the routes of the page Memory, as `genscope.analysis.memory` defines it. A score
// matrix is what a query's products with all keys make; in the paper's convention a number of it
// takes two bytes, and there is one head and one sequence.

import type { ComponentInfo, TraceWarning } from "./types";

/** What the paper's formula takes, read from the trace. */
export interface PaperParameters {
  positions: number;
  latent_side: number | null;
  depth: number;
  d: number;
  text_tokens: number;
  reason: string;
}

/** Attention calls of one shape; bytes are sums over the calls of a step, unless of a `call`. */
export interface Stage {
  component: string | null;
  phase: string | null;
  kind: string | null;
  axis: string | null;
  dtype: string | null;
  implementations: Record<string, number>;
  fused: boolean | null;
  denoiser: boolean;
  level: number | null;
  batch: number | null;
  heads: number | null;
  matrices: number | null;
  q_len: number;
  kv_len: number;
  kv_len_least: number;
  calls: number;
  calls_per_step: number;
  paper_calls: number | null;
  paper_bytes: number | null;
  one_head_call_bytes: number;
  one_head_bytes: number;
  real_call_bytes: number | null;
  real_bytes: number | null;
  recorded_calls: number;
  product_bytes: number | null;
  softmax_bytes: number | null;
  recorded_dtype: string | null;
  measured_largest_bytes: number | null;
  measured_call_peak_bytes: number | null;
  measured_bytes: number | null;
  kept_bytes: number | null;
}

/** Score matrices of one step of the denoiser. */
export interface Similarity {
  component: string | null;
  steps: number;
  /** Other parts of the pipeline that denoise as well, which these figures do not have. */
  other_components: string[];
  steps_differ: boolean;
  step_reason: string | null;
  reason: string | null;
  parameters: PaperParameters | null;
  paper_reason: string | null;
  paper_call_bytes: number | null;
  paper_bytes: number | null;
  one_head_bytes: number | null;
  one_head_over_paper: number | null;
  real_bytes: number | null;
  real_over_paper: number | null;
  largest_bytes: number | null;
  recorded_bytes: number | null;
  measured_bytes: number | null;
  sentence: string;
}

/** What a size needs; of a run that was recorded, or computed from one. */
interface Sized {
  image_size_px: number | null;
  latent_side: number;
  self_bytes: number;
  cross_bytes: number;
  bytes: number;
  paper_bytes: number | null;
  real_bytes: number | null;
}

export interface GrowthPoint extends Sized {
  /** Whether it is the size of the trace itself. */
  recorded: boolean;
}

/** value = factor · side ** exponent. */
export interface GrowthFit {
  of: string;
  from_size: number;
  to_size: number;
  /** px or latent. */
  unit: string;
  points: number;
  exponent: number | null;
  factor: number | null;
  largest_deviation: number | null;
}

export interface Growth {
  points: GrowthPoint[];
  fits: GrowthFit[];
  reason: string | null;
  sentence: string;
}

/** Score matrices of some calls, and what fused attention keeps of them. */
export interface FusedTotals {
  calls: number;
  calls_unknown: number;
  matrix_bytes: number;
  traffic_bytes: number;
  kept_bytes: number;
  largest_bytes: number;
  largest_kept_bytes: number;
}

export interface Fused {
  fused: FusedTotals;
  unfused: FusedTotals;
  other_calls: number;
  sentence: string;
}

export interface KvCache {
  component: string | null;
  layers: number;
  batch: number;
  kv_heads: number;
  head_dim: number;
  v_head_dim: number;
  dtype: string;
  bytes_per_token: number;
  from_length: number;
  to_length: number;
  from_bytes: number;
  to_bytes: number;
}

/** What is alive of one category. */
export interface CategoryBytes {
  category: string;
  bytes: number;
  blocks: number | null;
  share: number;
}

/** A block that is alive at the peak. */
export interface Block {
  bytes: number;
  category: string;
  op: string | null;
  component: string | null;
  module: string | null;
  allocated_ns: number;
  freed_ns: number | null;
}

export interface StepMemory {
  index: number;
  name: string;
  start_ns: number;
  end_ns: number;
  peak_bytes: number;
  peak_ns: number;
  end_bytes: number;
  allocated_bytes: number;
  categories: CategoryBytes[];
}

/** Columns of equal length; each value holds until the next time. */
export interface MemorySeries {
  at_ns: number[];
  allocated_bytes: number[];
  reserved_bytes: (number | null)[];
  /** By category; they add up to `allocated_bytes`. */
  categories: Record<string, number[]>;
  changes: number;
}

/** What the allocator of one device said while recording. */
export interface DeviceMemory {
  device: string;
  name: string;
  whole: boolean;
  allocations: number;
  frees: number;
  allocated_bytes: number;
  start_bytes: number;
  end_bytes: number;
  peak_bytes: number;
  peak_ns: number;
  peak_step: string | null;
  reserved_peak_bytes: number | null;
  capacity_bytes: number | null;
  unknown_frees: number;
  unknown_freed_bytes: number;
  unfreed_blocks: number;
  disagreements: number;
  at_peak: CategoryBytes[];
  components_at_peak: Record<string, number>;
  largest_blocks: Block[];
  steps: StepMemory[];
  steps_left: number;
  series: MemorySeries;
}

export interface Measured {
  devices: DeviceMemory[];
  events: number;
  reason: string | null;
}

export interface Declared {
  components: ComponentInfo[];
  parameter_bytes: number | null;
  peak_memory_bytes: number | null;
  beyond_parameters_bytes: number | null;
}

export interface Memory {
  schema_version: number;
  view: "memory";
  trace: string;
  base_ns: string;
  rank: number | null;
  model: string | null;
  image_size_px: number | null;
  similarity: Similarity;
  stages: Stage[];
  stages_left: number;
  growth: Growth;
  fused: Fused;
  kv_cache: KvCache | null;
  kv_cache_reason: string | null;
  measured: Measured;
  declared: Declared | null;
  sentence: string;
  warnings: TraceWarning[];
}

/** One trace of a sweep over image sizes. */
export interface MemorySweepPoint extends Sized {
  run: string;
  text_tokens: number;
  recorded_bytes: number | null;
  peak_bytes: number | null;
}

export interface MemoryGrowth {
  schema_version: number;
  view: "memory-growth";
  points: MemorySweepPoint[];
  fits: GrowthFit[];
  left_out: { run: string; reason: string }[];
  sentence: string;
  warnings: TraceWarning[];
}
