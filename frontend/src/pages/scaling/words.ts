// What grows, of what, against what: the choices of the page and how their figures are written.

import { exactSize, flops, size } from "../../amounts";
import type { Group, Metric, ScalingFit, ScalingLine, ScalingSweep } from "../../api/scaling";
import { count, duration, exactDuration } from "../../format";

interface Measure {
  id: Metric;
  title: string;
  hint: string;
  say: (value: number) => string;
  exact: (value: number) => string;
  /** In bytes: the marks of its axis are powers of two. */
  isBinary?: boolean;
}

const SIZE = { say: size, exact: exactSize, isBinary: true };

export const MEASURES: readonly Measure[] = [
  {
    id: "time_ns",
    title: "Time",
    hint: "Device time added up; CPU self time where there is no device",
    say: duration,
    exact: exactDuration,
  },
  {
    id: "flops",
    title: "FLOPs",
    hint: "Of the ops whose FLOPs are known",
    say: flops,
    exact: (value) => `${count(value)} FLOP`,
  },
  {
    id: "moved_bytes",
    title: "Bytes moved",
    hint: "Operands and results of each op, each moved once",
    ...SIZE,
  },
  {
    id: "score_bytes",
    title: "Scores",
    hint: "Score matrices of the forward attention calls, whether they are written or not",
    ...SIZE,
  },
  {
    id: "written_score_bytes",
    title: "Scores written",
    hint: "Score matrices of calls that compute attention step by step",
    ...SIZE,
  },
  {
    id: "largest_score_bytes",
    title: "Largest score",
    hint: "The largest score matrix of a single call",
    ...SIZE,
  },
  {
    id: "peak_memory_bytes",
    title: "Peak memory",
    hint: "Highest memory allocated on the device while recording",
    ...SIZE,
  },
];

export function measureOf(id: Metric): Measure {
  return MEASURES.find((each) => each.id === id) ?? (MEASURES[0] as Measure);
}

export const GROUPS: readonly { id: Group; title: string; hint: string }[] = [
  { id: "category", title: "Category", hint: "Categories add up to the whole" },
  { id: "component", title: "Component", hint: "Independently trained parts of the pipeline" },
  { id: "kind", title: "Kind", hint: "Attention by kind: self, cross, joint" },
  { id: "axis", title: "Axis", hint: "Attention by axis: spatial, temporal, sequence" },
  { id: "total", title: "Whole", hint: "All of the run" },
];

export const PARAMETERS: readonly { id: string; title: string }[] = [
  { id: "image_size", title: "image size" },
  { id: "frames", title: "frames" },
  { id: "batch", title: "batch" },
  { id: "prompt", title: "prompt length" },
  { id: "tokens", title: "tokens" },
  { id: "steps", title: "steps" },
  { id: "length", title: "longest self attention" },
];

/** The swept parameter with its unit, as the axis has it. */
export function parameterTitle({ parameter, unit }: ScalingSweep): string {
  const title = PARAMETERS.find((each) => each.id === parameter)?.title ?? parameter;
  return unit === "" || unit.includes(title) ? title : `${title}, ${unit}`;
}

/** What a line is called: how its runs compute attention. */
export function lineName({ attention, role }: ScalingLine): string {
  return attention ?? role;
}

/** The power of a fit: 3.87; of two values alone 3.87*, which says nothing about a third. */
export function powerText({ exponent, slope }: Pick<ScalingFit, "exponent" | "slope">): string {
  const value = exponent ?? slope;
  return value === null ? "–" : `${twoDecimals(value)}${exponent === null ? "*" : ""}`;
}

export function twoDecimals(value: number): string {
  const text = Math.abs(value).toFixed(2);
  return value < 0 && text !== "0.00" ? `−${text}` : text;
}

/** What the chart counts and where the figures come from. */
export function caption(sweep: ScalingSweep): string {
  const basis = sweep.basis === "device" ? "device time" : "CPU self time";
  const of = sweep.per_step ? "one recorded step" : "the whole recording";
  const lines = sweep.lines.map((line) => `${lineName(line)} is ${line.role}: ${line.reason}`);
  return (
    `Points are runs, of ${of}; time is ${basis}, added up. Lines are power laws fitted to the ` +
    "logarithms, dotted beyond the data, where they are predictions; baselines are solid with " +
    "filled marks, fused attention is dashed with open ones; faint lines join the points. A circle " +
    "is where one overtakes another, between two points or, with a broken line, as predicted. " +
    `The parameter is known from ${sweep.found_by}. ${lines.join("; ")}. From the trace files.`
  );
}
