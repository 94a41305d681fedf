// What `/paper` and `/of-suite` answer. Units are in the names; null is unknown. `run` is the label
// of a run. What is measured and what is cited never share a field.

import type { FramesSweep } from "./spacetime";
import type { TraceWarning } from "./types";

export type Verdict = "within" | "same direction" | "contradicts" | "not measurable here";

export interface Stated {
  of: string;
  value: number | null;
  low: number | null;
  high: number | null;
  up_to: boolean;
  words: string | null;
}

export interface Claim {
  id: string;
  ref: string;
  text: string;
  values: Stated[];
  unit: string;
  structural: boolean;
  out_of_reach: string | null;
}

export interface Outcome {
  of: string;
  /** Index into `settings`; null for what needs no run. */
  setting: number | null;
  measured: number | null;
  low: number | null;
  high: number | null;
  measured_words: string | null;
  ratio: number | null;
  verdict: Verdict;
  why: string;
}

export interface ClaimRow {
  claim: Claim;
  outcomes: Outcome[];
  verdict: Verdict;
}

export interface SuiteModel {
  name: string;
  title: string;
  kind: string;
  note: string | null;
}

export interface Setting {
  scale: string;
  hardware: string;
  dtype: string | null;
  runs: number;
  pairs: number;
}

export interface Component {
  name: string;
  parameters: number;
  layers: number;
  widths: number[];
  channels: number[];
}

export interface ModelTaxonomy {
  model: string;
  scale: string;
  parameters: number;
  main: string;
  components: Component[];
  steps: number | null;
  image_size: number | null;
  frames: number | null;
  attention_sides: number[];
}

export interface Published {
  model: string;
  parameters_b: number | null;
  fid: number;
  kind: string;
  source: string;
}

export interface Recording {
  what: string;
  command: string;
}

interface Panel {
  needs: Recording[];
}

export interface RoofPoint {
  run: string;
  model: string;
  role: string | null;
  flops: number;
  parameter_bytes: number;
  intensity: number | null;
  moved_intensity: number | null;
  flops_per_s: number | null;
  placed: string | null;
  bound: string | null;
}

export interface RoofPanel extends Panel {
  points: RoofPoint[];
  device: string | null;
  peak_flops_per_s: number | null;
  bandwidth_bytes_per_s: number | null;
  ridge: number | null;
}

export interface OperatorBar {
  run: string;
  model: string;
  role: string;
  basis: string;
  sum_ns: number;
  of_baseline: number;
  times_ns: Record<string, number>;
  shares: Record<string, number>;
  group_norm_ns: number;
}

export interface LengthSeries {
  run: string;
  model: string;
  component: string | null;
  shape: string | null;
  calls: number;
  period: number | null;
  grows: boolean;
  places: number[];
  lengths: number[];
  kinds: (string | null)[];
  axes: (string | null)[];
}

export interface SizeLengths {
  run: string;
  image_size: number;
  lengths: number[];
  calls: number[];
  shares: number[];
}

export interface GrowthPoint {
  run: string;
  role: string;
  image_size: number;
  attention_ns: number;
  convolution_ns: number;
}

export interface GrowthFit {
  role: string;
  category: string;
  exponent: number;
}

export interface AxisBar {
  run: string;
  role: string | null;
  attention: string | null;
  axis: string;
  calls: number;
  time_ns: number;
  time_share: number;
  flops: number;
  flops_share: number;
}

export interface AxisRatio {
  run: string;
  role: string | null;
  attention: string | null;
  temporal_over_spatial_time: number | null;
  spatial_over_temporal_flops: number | null;
}

export interface FramesAtSize {
  image_size: number;
  sweep: FramesSweep;
}

export interface SpeedupCell {
  model: string;
  baseline: string;
  fused: string;
  speedup: number;
  low: number | null;
  high: number | null;
  how: string;
}

export interface PhaseCell {
  run: string;
  model: string;
  component: string | null;
  phases: Record<string, number>;
}

/** What the runs of one setting show: nothing of it is the paper's. */
export interface SettingPanels {
  setting: number;
  roofline: RoofPanel;
  operators: Panel & { bars: OperatorBar[] };
  lengths: Panel & { series: LengthSeries[] };
  sizes: Panel & { sizes: SizeLengths[] };
  growth: Panel & { points: GrowthPoint[]; fits: GrowthFit[] };
  axes: Panel & { bars: AxisBar[]; ratios: AxisRatio[] };
  frames: Panel & { sizes: FramesAtSize[] };
  speedups: Panel & { cells: SpeedupCell[] };
  phases: Panel & { cells: PhaseCell[] };
}

export interface CitedModel {
  model: string;
  parameters_b: number | null;
  layers: number | null;
  width: number | null;
  resolutions: string | null;
}

/** What the paper and others state: nothing of it was measured. */
export interface Cited {
  quality: Published[];
  taxonomy: CitedModel[];
  speedups: Record<string, number>;
  phases: Record<string, string>;
  temporal_over_spatial_time: number | null;
  spatial_over_temporal_flops: number | null;
}

export interface About {
  id: string;
  ref: string;
  title: string;
  caption: string;
  claims: string[];
}

export interface PaperRun {
  id: string;
  label: string;
  size_bytes: number;
  /** used, unread (of the suite, and not read yet), other, failed */
  state: string;
  reason: string | null;
}

export interface Paper {
  source: string;
  models: SuiteModel[];
  settings: Setting[];
  rows: ClaimRow[];
  verdicts: Partial<Record<Verdict, number>>;
  claims: Partial<Record<Verdict, number>>;
  sentence: string;
  figures: { about: About[]; cited: Cited; measured: SettingPanels[] };
  taxonomy: ModelTaxonomy[];
  disagreements: string[];
  left_out: { run: string; reason: string }[];
  warnings: TraceWarning[];
  /** Not there in a report, which has read all. */
  runs?: PaperRun[];
}
