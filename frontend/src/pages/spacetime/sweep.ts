// Attention against the number of frames, both axes of it logarithmic: the points of the runs, the
// fitted power laws, dashed beyond the data, and where those of space and time meet.

import type { Crossover, FramesSweep, Measured, SweepFit, SweepPoint } from "../../api/spacetime";
import { type Context, FONT } from "../../drawing/Canvas";
import { count, duration } from "../../format";
import { axisColor } from "../../theme/kinds";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { flops, framesText } from "./words";

const LEFT = 74;
const RIGHT = 16;
const TOP = 26;
const BOTTOM = 40;
const RADIUS = 4;
/** A crossover further from the data than this is told in words only. */
const MAX_TIMES = 64;

export interface SweepInput {
  sweep: FramesSweep;
  of: Measured;
  mode: Mode;
  width: number;
  height: number;
}

/** Ends of the axes, and pixels of values. */
export interface Layout {
  frames: [number, number];
  values: [number, number];
  /** First and last number of frames that was measured. */
  seen: [number, number];
  crossover: Crossover | null;
  xOf: (frames: number) => number;
  yOf: (value: number) => number;
}

export function fitAt(fit: SweepFit, frames: number): number | null {
  if (fit.exponent === null || fit.factor === null) return null;
  return fit.factor * frames ** fit.exponent;
}

/** The crossover, where it is near enough to the data to be drawn. */
export function drawnCrossover(sweep: FramesSweep, of: Measured): Crossover | null {
  const found = sweep.crossovers.find((each) => each.of === of);
  const frames = sweep.points.map((point) => point.frames);
  const [least, most] = [Math.min(...frames), Math.max(...frames)];
  const isNear = found && found.frames >= least / MAX_TIMES && found.frames <= most * MAX_TIMES;
  return found && isNear && found.frames >= 1 ? found : null;
}

export function layoutOf({ sweep, of, width, height }: SweepInput): Layout {
  const points = sweep.points.filter((point) => point[of] > 0);
  const seenFrames = points.map((point) => point.frames);
  const seen: [number, number] = [Math.min(...seenFrames), Math.max(...seenFrames)];
  const crossover = drawnCrossover(sweep, of);
  const at = crossover ? [crossover.frames] : [];
  const frames: [number, number] = [
    Math.min(seen[0], ...at) / 1.25,
    Math.max(seen[1], ...at) * 1.25,
  ];
  const fitted = sweep.fits
    .filter((fit) => fit.of === of)
    .flatMap((fit) => frames.flatMap((each) => fitAt(fit, each) ?? []));
  const values = [...points.map((point) => point[of]), ...fitted];
  const ends: [number, number] = [Math.min(...values) / 1.6, Math.max(...values) * 1.6];
  const place = (value: number, [from, to]: [number, number]) =>
    Math.log(value / from) / Math.log(to / from);
  return {
    frames,
    values: ends,
    seen,
    crossover,
    xOf: (value) => LEFT + place(value, frames) * Math.max(1, width - LEFT - RIGHT),
    yOf: (value) => height - BOTTOM - place(value, ends) * (height - BOTTOM - TOP),
  };
}

/** Powers of `base` between two values, no more than `most` of them. */
export function powers(
  [from, to]: readonly [number, number],
  base: number,
  most: number,
): number[] {
  const low = Math.ceil(Math.log(from) / Math.log(base) - 1e-9);
  const high = Math.floor(Math.log(to) / Math.log(base) + 1e-9);
  const every = Math.max(1, Math.ceil((high - low + 1) / Math.max(1, most)));
  const found: number[] = [];
  for (let power = low; power <= high; power += every) found.push(base ** power);
  return found;
}

/** The point at a pixel, or -1. */
export function pointAt(input: SweepInput, layout: Layout, px: number, py: number): number {
  const near = input.sweep.points.map((point, at) => {
    if (point[input.of] <= 0) return { at, off: Number.POSITIVE_INFINITY };
    const [dx, dy] = [layout.xOf(point.frames) - px, layout.yOf(point[input.of]) - py];
    return { at, off: Math.hypot(dx, dy) };
  });
  const best = near.toSorted((a, b) => a.off - b.off)[0];
  return best && best.off < 14 ? best.at : -1;
}

export function valueText(point: Pick<SweepPoint, Measured>, of: Measured): string {
  return of === "flops" ? flops(point.flops) : duration(point.time_ns);
}

export function drawSweep(context: Context, input: SweepInput): void {
  const layout = layoutOf(input);
  drawAxes(context, input, layout);
  context.save();
  context.beginPath();
  context.rect(LEFT, TOP - 4, input.width - LEFT, input.height - TOP - BOTTOM + 8);
  context.clip();
  for (const fit of input.sweep.fits) {
    if (fit.of === input.of) drawFit(context, input, layout, fit);
  }
  for (const point of input.sweep.points) {
    if (point[input.of] > 0) drawPoint(context, input, layout, point);
  }
  context.restore();
  if (layout.crossover) drawCrossover(context, input, layout, layout.crossover);
}

function drawAxes(context: Context, input: SweepInput, layout: Layout): void {
  const { of, mode, width, height } = input;
  const colors = CHART_COLORS[mode];
  const bottom = height - BOTTOM;
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const value of powers(layout.values, 10, (bottom - TOP) / 26)) {
    const y = Math.round(layout.yOf(value));
    context.fillStyle = colors.line;
    context.fillRect(LEFT, y, width - LEFT - RIGHT, 1);
    context.fillStyle = colors.soft;
    context.fillText(of === "flops" ? flops(value) : duration(value), LEFT - 8, y);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const value of powers(layout.frames, 2, (width - LEFT - RIGHT) / 56)) {
    const x = Math.round(layout.xOf(value));
    context.fillStyle = colors.line;
    context.fillRect(x, TOP, 1, bottom - TOP);
    context.fillStyle = colors.soft;
    context.fillText(count(value), x, bottom + 6);
  }
  context.fillStyle = colors.soft;
  context.fillText("frames", (LEFT + width - RIGHT) / 2, bottom + 22);
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(of === "flops" ? "FLOPs" : "time", 0, 8);
}

/** Solid within the data, dashed beyond it: there it is predicted. */
function drawFit(context: Context, input: SweepInput, layout: Layout, fit: SweepFit): void {
  const [first, last] = layout.seen;
  const parts: [number, number, boolean][] = [
    [layout.frames[0], first, true],
    [first, last, false],
    [last, layout.frames[1], true],
  ];
  context.strokeStyle = axisColor(fit.axis, input.mode);
  context.lineWidth = 1.5;
  for (const [from, to, isPredicted] of parts) {
    const [start, end] = [fitAt(fit, from), fitAt(fit, to)];
    if (start === null || end === null || to <= from) continue;
    context.setLineDash(isPredicted ? [5, 4] : []);
    context.beginPath();
    context.moveTo(layout.xOf(from), layout.yOf(start));
    context.lineTo(layout.xOf(to), layout.yOf(end));
    context.stroke();
  }
  context.setLineDash([]);
}

/** Space is a disc, time a ring, so that colour is not needed to tell them apart. */
function drawPoint(context: Context, input: SweepInput, layout: Layout, point: SweepPoint): void {
  const [x, y] = [layout.xOf(point.frames), layout.yOf(point[input.of])];
  context.beginPath();
  context.arc(x, y, RADIUS, 0, 2 * Math.PI);
  context.fillStyle =
    point.axis === "temporal"
      ? CHART_COLORS[input.mode].background
      : axisColor(point.axis, input.mode);
  context.fill();
  context.strokeStyle = axisColor(point.axis, input.mode);
  context.lineWidth = 2;
  context.stroke();
}

function drawCrossover(
  context: Context,
  input: SweepInput,
  layout: Layout,
  crossover: Crossover,
): void {
  const colors = CHART_COLORS[input.mode];
  const x = layout.xOf(crossover.frames);
  context.strokeStyle = colors.text;
  context.lineWidth = 1;
  context.setLineDash(crossover.measured ? [] : [3, 3]);
  context.beginPath();
  context.moveTo(x, TOP);
  context.lineTo(x, input.height - BOTTOM);
  context.stroke();
  context.setLineDash([]);
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  const text = `equal at ${framesText(crossover.frames)} frames${crossover.measured ? "" : ", predicted"}`;
  const half = context.measureText(text).width / 2;
  context.textAlign = "center";
  context.fillStyle = colors.text;
  context.fillText(text, Math.min(input.width - half - 2, Math.max(LEFT + half, x)), TOP - 12);
}
