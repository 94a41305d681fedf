// The JSON of the plugin's routes, as `genscope.analysis.results` and the plugin define it.
// Durations are nanoseconds, sizes bytes; null is unknown.

/** Something about a trace that a reader of its figures should know. */
export interface TraceWarning {
  code: string;
  count: number;
  message: string;
}

/** Time and counts of a group of events. */
export interface Figures {
  sum_ns: number;
  busy_ns: number;
  unlinked_ns: number;
  share: number;
  launches: number;
  host_launches: number;
  calls: number;
}

/** A group of events with the work behind it, where that is known and was asked for. */
export interface Worked extends Figures {
  flops?: number | null;
  moved_bytes?: number | null;
  flops_per_s?: number | null;
  /** FLOPs over bytes moved. */
  intensity?: number | null;
}

/** A row of a drill-down below a category. */
export interface Row extends Worked {
  name: string;
  level: "category" | "op" | "kernel";
  rule: string | null;
  children: Row[];
}

export interface CategoryRow extends Worked {
  category: string;
  children: Row[];
}

export interface PassRow extends Figures {
  pass: string;
  categories: Record<string, number>;
}

/** A component or a module; its figures include everything inside it. */
export interface ModuleRow extends Figures {
  path: string;
  name: string;
  depth: number;
  self_ns: number;
  categories: Record<string, number>;
}

export interface DeviceInfo {
  index: number;
  name: string;
  sum_ns: number;
  busy_ns: number;
}

export type Basis = "device" | "cpu_self";

export interface Operators {
  schema_version: number;
  view: "operators";
  trace: string;
  base_ns: string;
  rank: number | null;
  basis: Basis;
  basis_sum_ns: number;
  device_sum_ns: number;
  device_busy_ns: number;
  wall_ns: number;
  unlinked_ns: number;
  devices: DeviceInfo[];
  categories: CategoryRow[];
  passes: PassRow[];
  components: ModuleRow[];
  modules: ModuleRow[];
  warnings: TraceWarning[];
}

export interface CategoryBar {
  category: string;
  sum_ns: number;
  unlinked_ns: number;
  share: number;
  relative: number | null;
  delta_ns: number | null;
  speedup: number | null;
}

/** A row of the drill-down beside the base run's; 0 where one of them lacks it. */
export interface Difference {
  name: string;
  level: Row["level"];
  base_sum_ns: number;
  sum_ns: number;
  delta_ns: number;
  speedup: number | null;
  base_calls: number;
  calls: number;
  base_launches: number;
  launches: number;
  children: Difference[];
}

export interface RunBar {
  run: string;
  basis: Basis;
  basis_sum_ns: number;
  relative: number | null;
  speedup: number | null;
  device_sum_ns: number;
  device_busy_ns: number;
  wall_ns: number;
  unlinked_ns: number;
  categories: CategoryBar[];
  /** Largest change first; empty for the base, and for a run on another basis. */
  differences: Difference[];
  warnings: TraceWarning[];
}

export interface Comparison {
  schema_version: number;
  view: "compare";
  base: string;
  runs: RunBar[];
  warnings: TraceWarning[];
}

/** A step of the profiler or of a component; `index` counts from 0 in order of time. */
export interface Step {
  index: number;
  name: string;
  start_ns: number;
  dur_ns: number;
}

/** The timeline: a row a category, a column a bin; `device_busy_ns` is the union of all. */
export interface Strip {
  start_ns: number;
  bin_ns: number;
  bins: number;
  categories: string[];
  busy_ns: number[][];
  device_busy_ns: number[];
}

/** A stretch of a timeline, in finer bins. */
export interface Timeline {
  schema_version: number;
  view: "timeline";
  trace: string;
  strip: Strip;
}

/** What the CPU did during a gap, and how much of the gap it covers. */
export interface Activity {
  name: string;
  kind: string;
  overlap_ns: number;
}

/** A stretch in which a device had nothing to do, between two events of its own. */
export interface Gap {
  device: number;
  start_ns: number;
  dur_ns: number;
  before: string;
  after: string;
  cause: string;
  reason: string;
  cpu: Activity[];
}

export interface Waiting {
  cause: string;
  gaps: number;
  sum_ns: number;
  share: number;
}

export interface DeviceUse {
  index: number;
  name: string;
  sum_ns: number;
  busy_ns: number;
  idle_ns: number;
  busy_share: number;
  streams: number;
}

/** What was run, as its annotations tell. */
export interface Workload {
  model: string | null;
  device: string | null;
  dtype: string | null;
  /** Height and width in pixels. */
  image_size: [number, number] | null;
  frames: number | null;
  batch: number | null;
  prompt_length: number | null;
  steps: number | null;
  attention: string | null;
  training: boolean | null;
  extra: Record<string, string | number | boolean>;
}

/** A component that was annotated; `calls` counts its calls in the trace. */
export interface ComponentInfo {
  name: string;
  class_name: string | null;
  parameters: number | null;
  parameter_bytes: number | null;
  dtype: string | null;
  device: string | null;
  calls: number;
}

export interface Overview {
  schema_version: number;
  view: "overview";
  trace: string;
  base_ns: string;
  rank: number | null;
  world_size: number | null;
  basis: Basis;
  wall_ns: number;
  basis_sum_ns: number;
  unlinked_ns: number;
  devices: DeviceUse[];
  categories: Record<string, number>;
  steps: Step[];
  strip: Strip;
  waiting: Waiting[];
  gaps: Gap[];
  limit: string;
  sentence: string;
  workload: Workload | null;
  components: ComponentInfo[];
  peak_memory_bytes: number | null;
  libraries: Record<string, string>;
  notes: string[];
  warnings: TraceWarning[];
}

export type RunState = "unread" | "queued" | "reading" | "ready" | "failed";

/** A trace file below the logdir. */
export interface Run {
  id: string;
  label: string;
  run: string;
  file: string;
  size_bytes: number;
  state: RunState;
  read_bytes: number;
  error: string | null;
}

export interface Runs {
  schema_version: number;
  runs: Run[];
  message: string | null;
}

/** How far the reading of one file is. */
export interface ReadProgress {
  state: RunState;
  read_bytes: number;
  size_bytes: number;
}

/** A file that cannot be used, and why. */
export interface FileError {
  run: string;
  file: string;
  message: string;
}
