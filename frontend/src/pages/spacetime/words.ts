// The sentences of the page. Every figure in them is a field of the API.

import type { FramesSweep, SpaceTime } from "../../api/spacetime";
import { count, metric, threeDigits } from "../../format";
import { titleOf } from "../../theme/kinds";

export interface Spaced {
  id: string;
  label: string;
  data: SpaceTime;
}

/** FLOPs with a unit of their own: 2.9 TFLOP. */
export function flops(value: number): string {
  const text = metric(value);
  return /[a-z]$/i.test(text) ? `${text}FLOP` : `${text} FLOP`;
}

export function flopsPerSecond(value: number | null): string {
  return value === null ? "–" : `${flops(Math.round(value))}/s`;
}

/** Both ends of a range, or what they share. */
export function rangeText([low, high]: readonly [number, number]): string {
  return low === high ? count(low) : `${count(low)} to ${count(high)}`;
}

/** Frames as people write them where a fit gives a fraction. */
export function framesText(frames: number): string {
  return frames >= 100 ? count(Math.round(frames)) : threeDigits(frames);
}

export interface Headline {
  sentence: string;
  detail: string;
}

/** Whether a run attends along each of space and time apart. */
export function hasBoth(data: SpaceTime): boolean {
  const axes = data.axes.map((row) => row.axis);
  return axes.includes("spatial") && axes.includes("temporal");
}

/** What the sentence of a run leaves open: how many frames, or along what its attention goes. */
function about(data: SpaceTime): string {
  const frames = data.frames === null ? "" : `${count(data.frames)} frames.`;
  if (hasBoth(data) || data.axes.length === 0) return frames;
  const axes = data.axes.map((row) => titleOf(row.axis));
  const all =
    axes.length === 1
      ? `All its attention is ${axes[0]}`
      : `Its attention is ${axes.join(" and ")}`;
  return [frames, `${all}: there is nothing to set against each other.`].filter(Boolean).join(" ");
}

export function headline(runs: readonly Spaced[], sweep: FramesSweep | null): Headline {
  const [base, ...others] = runs;
  if (base === undefined) return { sentence: "", detail: "" };
  if (others.length === 0) return { sentence: base.data.sentence, detail: about(base.data) };
  if (sweep?.fits.some((fit) => fit.exponent !== null))
    return { sentence: sweep.sentence, detail: `${base.label}: ${base.data.sentence}` };
  const said = others.slice(0, 2).map((run) => `${run.label}: ${run.data.sentence}`);
  const rest = others.length - said.length;
  return {
    sentence: `${base.label}: ${base.data.sentence}`,
    detail: `${said.join(" ")}${rest > 0 ? ` ${rest} more below.` : ""}`,
  };
}

/** What the bars count and where the figures come from. */
export function caption(runs: readonly Spaced[]): string {
  const bases = new Set(runs.map((run) => run.data.basis));
  const times = [
    bases.has("device") ? "the device time of the calls' kernels" : "",
    bases.has("cpu") ? "the time of the calls on the CPU, since there is no device event" : "",
  ].filter(Boolean);
  const who = bases.size > 1 ? " (each run as it was recorded; these do not compare)" : "";
  return (
    `Time adds up ${times.join(" or ")}${who}; FLOPs are those of the two products of attention, ` +
    "of calls whose shapes are known, without the keys that a query does not see where they are " +
    "causal. Forward calls, unless the filters name a pass. From the trace files."
  );
}
