// The sentences of the page. Every figure in them is a field of the API.

import type { Bound, Roofline } from "../../api/roofline";
import { count, percent, shortenMiddle } from "../../format";
import { type Across, DECISIVE, LEVELS, type Level, type Roofed, type Row } from "./points";

/** More runs than this make a line too long to read. */
const MAX_NAMED = 2;

export const BOUNDS: Readonly<Record<Bound, string>> = {
  compute: "It reaches most of the rate of its arithmetic: only less of it would help",
  bandwidth: "It reaches most of the bandwidth: moving less would help",
  launch: "Its kernels are so short that launching them takes as long: fuse them, or use graphs",
  neither: "It reaches neither rate: its shape, its layout or its kernel holds it back",
  transfer: "It copies between host and device, to which these rates do not apply",
};

export interface Headline {
  sentence: string;
  detail: string;
}

/** How far the base is from its roof, and the same of the next runs. */
export function headline(runs: readonly Roofed[]): Headline {
  const [base, ...others] = runs;
  if (base === undefined) return { sentence: "", detail: "" };
  if (others.length === 0) return { sentence: base.data.sentence, detail: detailOf(base.data) };
  const named = others.slice(0, MAX_NAMED);
  const rest = others.length - named.length;
  const said = named.map((run) => `${run.label}: ${run.data.sentence}`);
  return {
    sentence: `${base.label}: ${base.data.sentence}`,
    detail: `${said.join(" ")}${rest > 0 ? ` ${rest} more below.` : ""}`,
  };
}

function detailOf({ whole, basis }: Roofline): string {
  if (whole.time_ns === 0) return "";
  const what = basis === "device" ? "device time" : "CPU time";
  return `The FLOPs and bytes of the ops behind ${percent(whole.covered)} % of ${what} are known; the figures are of those.`;
}

/** The device of a run, as far as it is known. */
export function deviceOf({ device, as_if, device_name, basis }: Roofline): string {
  if (device !== null) return as_if ? `as if on ${device.name}` : device.name;
  return device_name || (basis === "device" ? "a device without a name" : "a CPU");
}

const WHAT: Readonly<Record<Level, string>> = {
  op: "an op of one shape",
  category: "a category",
  component: "a component",
  phase: "a phase",
};

export function caption(runs: readonly Roofed[], level: Level, across: Across): string {
  const isDevice = runs.every((run) => run.data.basis === "device");
  const time = isDevice ? "device time" : "CPU time";
  const over =
    across === "moved"
      ? "the bytes of its operands and results, each moved once"
      : "the bytes of its parameters (the paper's intensity: all FLOPs of the trace, as the model runs many times for one result)";
  const parts = [
    `A mark is ${WHAT[level]}: FLOPs over ${over}, against FLOPs over ${time}; its area is its time.`,
  ];
  const devices = new Map(
    runs.flatMap(({ data }) => (data.device ? [[data.device.name, data.device.source]] : [])),
  );
  for (const [name, source] of devices) {
    parts.push(`Lines: rates of ${name} without sparsity, and its bandwidth (${source}).`);
  }
  if (level === "op") {
    parts.push(
      "Ops without arithmetic, such as copies, are in the table alone, as are the small ones " +
        `behind the last ${(100 * (1 - DECISIVE)).toFixed(1)} % of time.`,
    );
  }
  return parts.join(" ");
}

/** What the table is called. */
export function tableTitle(data: Roofline, level: Level): string {
  if (level !== "op") return LEVELS.find((each) => each.id === level)?.title ?? "";
  return data.device === null ? "Ops by time" : "What to optimise next";
}

export function nameOf(row: Row, letters: number): string {
  return shortenMiddle(row.name, letters);
}

export function leftOut(data: Roofline): string {
  const left = data.ops_total - data.ops.length;
  return left > 0 ? `${count(left)} more are not listed` : "";
}
