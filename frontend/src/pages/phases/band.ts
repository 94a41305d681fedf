// The strip of a run: its phases as a band, the steps that its engine tells of, and below them how
// busy the device was, with the part of attention. Where each thing is, and the drawing.

import type { ServedStep, Stretch } from "../../api/phases";
import type { Strip } from "../../api/types";
import { type Context, FONT } from "../../drawing/Canvas";
import { count, duration } from "../../format";
import { paintOf } from "../../theme/colors";
import { phaseColor, titleOf } from "../../theme/kinds";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { capacity, timeMarks } from "../overview/strip";
import type { Phased } from "./phased";

const BAND = 26;
const SERVED = 16;
const LANE = 34;
const GAP = 3;
const AXIS = 18;
const DIGIT = 6.4;
/** Narrower boxes carry no text. */
const TEXT_MIN = 34;

export interface BandInput {
  run: Phased;
  /** Finer bins of a part of the overview's strip, where there are any. */
  finer: Strip | null;
  mode: Mode;
  /** Pixels of the whole strip. */
  width: number;
  /** The time at the left edge, counted from the start of the timeline, and that of the width. */
  from_ns: number;
  span_ns: number;
}

/** Where things are, in pixels from the upper left corner. */
export interface Layout {
  /** Upper edge of the band of phases, of that of served steps, and of the device's lane. */
  band: number;
  served: number;
  lane: number;
  bottom: number;
  height: number;
  xOf: (ns: number) => number;
  nsAt: (x: number) => number;
}

export function layoutOf(input: BandInput): Layout {
  const { run, width, from_ns, span_ns } = input;
  const band = 1;
  const served = band + BAND + GAP;
  const lane = served + (run.phases.served.length > 0 ? SERVED + GAP : 0);
  const bottom = lane + LANE;
  const first = run.overview.strip.start_ns + from_ns;
  const perNs = width / Math.max(1, span_ns);
  return {
    band,
    served,
    lane,
    bottom,
    height: bottom + AXIS,
    xOf: (ns) => (ns - first) * perNs,
    nsAt: (x) => first + x / perNs,
  };
}

/** The first of `spans`, which are in order of start, that may reach beyond `ns`. */
function firstAt(spans: readonly { start_ns: number }[], ns: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.start_ns ?? 0) <= ns) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** The stretch at a time, or the one that is no more than `near_ns` away; -1 for none. */
export function stretchAt(stretches: readonly Stretch[], ns: number, near_ns: number): number {
  const at = firstAt(stretches, ns);
  let found = -1;
  let best = near_ns;
  // A component may run within another's stretch: the later, shorter one lies on top.
  for (let place = Math.max(0, at - 3); place < Math.min(stretches.length, at + 2); place += 1) {
    const { start_ns, dur_ns } = stretches[place] as Stretch;
    const off = Math.max(0, start_ns - ns, ns - start_ns - dur_ns);
    if (off <= best) {
      best = off;
      found = place;
    }
  }
  return found;
}

/** What a box says if there is room: its phase, or what is behind it. */
export function boxText(stretch: Stretch): string {
  const name = stretch.phase === null ? (stretch.component ?? "no phase") : titleOf(stretch.phase);
  return stretch.rounds > 1 ? `${name} × ${count(stretch.rounds)}` : name;
}

export function servedText(step: ServedStep): string {
  const parts = [
    step.prefills ? `${count(step.prefills)} prefill` : "",
    step.decodes ? `${count(step.decodes)} decode` : "",
  ];
  return parts.filter(Boolean).join(" + ") || titleOf(step.phase);
}

export function drawBand(context: Context, input: BandInput): void {
  const { run, mode, width } = input;
  const { overview, phases } = run;
  const layout = layoutOf(input);
  const colors = CHART_COLORS[mode];
  const end = overview.strip.start_ns + overview.wall_ns;
  const right = Math.min(width, Math.round(layout.xOf(end)));
  context.save();
  context.beginPath();
  context.rect(0, 0, width, layout.height);
  context.clip();
  if (right <= 0) {
    context.font = `12px ${FONT}`;
    context.textBaseline = "middle";
    context.fillStyle = colors.soft;
    context.fillText(`ends at ${duration(end)}, before this`, 4, layout.band + BAND / 2);
    context.restore();
    return;
  }
  context.fillStyle = colors.empty;
  context.fillRect(0, layout.band, right, BAND);
  context.fillRect(0, layout.lane, right, LANE);
  drawAxis(context, input, layout, right);
  drawLane(context, input, layout, right);
  for (const stretch of visible(phases.stretches, layout, width)) {
    drawBox(context, input, layout, stretch);
  }
  drawServed(context, input, layout);
  context.restore();
}

/** Frames of the engine's steps; of those that share a pixel the first is drawn. */
function drawServed(context: Context, input: BandInput, layout: Layout): void {
  const { run, mode, width } = input;
  const middle = layout.served + SERVED / 2 + 0.5;
  let taken = -1;
  for (const step of visible(run.phases.served, layout, width)) {
    const [x, wide] = ends(layout, step);
    const pixel = Math.floor(x);
    if (wide < 2 && pixel === taken) continue;
    taken = pixel;
    context.strokeStyle = phaseColor(step.phase, mode);
    context.lineWidth = 2;
    context.strokeRect(x + 1, layout.served + 1, Math.max(1, wide - 2), SERVED - 2);
    write(context, servedText(step), x, wide, middle, width, CHART_COLORS[mode].text);
  }
}

/** Those that are at least partly in view. */
function visible<T extends { start_ns: number; dur_ns: number }>(
  spans: readonly T[],
  layout: Layout,
  width: number,
): T[] {
  const [from, to] = [layout.nsAt(0), layout.nsAt(width)];
  return spans.filter((span) => span.start_ns < to && span.start_ns + span.dur_ns > from);
}

function ends(layout: Layout, span: { start_ns: number; dur_ns: number }): [number, number] {
  const x = layout.xOf(span.start_ns);
  return [x, Math.max(1, layout.xOf(span.start_ns + span.dur_ns) - x)];
}

function drawBox(context: Context, input: BandInput, layout: Layout, stretch: Stretch): void {
  const [x, wide] = ends(layout, stretch);
  context.fillStyle = phaseColor(stretch.phase, input.mode);
  context.globalAlpha = stretch.phase === null ? 0.45 : 1;
  context.fillRect(x, layout.band, wide, BAND);
  context.globalAlpha = 1;
  if (wide > 3) {
    context.fillStyle = CHART_COLORS[input.mode].background;
    context.fillRect(x + wide - 0.5, layout.band, 0.5, BAND);
  }
  const color =
    stretch.phase === null ? CHART_COLORS[input.mode].text : textOn(stretch.phase, input.mode);
  const middle = layout.band + BAND / 2 + 0.5;
  write(context, boxText(stretch), x, wide, middle, input.width, color);
}

/** Phases whose colour is dark in the light theme; in the dark theme all are light. */
const DEEP = ["prefill", "parallel_decode", "mixed"];

/** What can be read on the colour of a phase. */
function textOn(phase: string, mode: Mode): string {
  return mode === "light" && DEEP.includes(phase) ? "#ffffff" : "#0d0d0d";
}

/** Text in the part of a box that is in view. */
function write(
  context: Context,
  text: string,
  x: number,
  wide: number,
  y: number,
  width: number,
  color: string,
): void {
  const [left, right] = [Math.max(0, x), Math.min(width, x + wide)];
  if (right - left < TEXT_MIN) return;
  context.font = `11px ${FONT}`;
  if (context.measureText(text).width > right - left - 8) return;
  context.fillStyle = color;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, (left + right) / 2, y);
}

/** Bins of the device: the part of attention below, all else above it. */
function drawLane(context: Context, input: BandInput, layout: Layout, right: number): void {
  const { overview } = input.run;
  const finer = input.finer;
  if (finer === null) {
    drawBins(context, input, layout, overview.strip, 0, right);
    return;
  }
  const from = Math.max(0, Math.round(layout.xOf(finer.start_ns)));
  const to = Math.round(layout.xOf(finer.start_ns + finer.bins * finer.bin_ns));
  drawBins(context, input, layout, overview.strip, 0, Math.min(from, right));
  drawBins(context, input, layout, finer, from, Math.min(right, to));
  drawBins(context, input, layout, overview.strip, Math.max(0, to), right);
}

function drawBins(
  context: Context,
  input: BandInput,
  layout: Layout,
  strip: Strip,
  left: number,
  right: number,
): void {
  if (right <= left) return;
  const { overview } = input.run;
  const place = (x: number) => (layout.nsAt(x) - strip.start_ns) / strip.bin_ns;
  const edge = (bin: number) => Math.round(layout.xOf(strip.start_ns + bin * strip.bin_ns));
  const partOf = partsOf(strip, capacity(overview, strip));
  const rest = CHART_COLORS[input.mode].soft;
  const last = Math.min(strip.bins, Math.ceil(place(right)));
  for (let bin = Math.max(0, Math.floor(place(left))); bin < last; bin += 1) {
    const from = Math.max(left, edge(bin));
    const wide = Math.min(right, edge(bin + 1)) - from;
    if (wide <= 0) continue;
    const { attention, busy } = partOf(bin);
    context.globalAlpha = 0.5;
    context.fillStyle = rest;
    context.fillRect(from, layout.bottom - busy * LANE, wide, (busy - attention) * LANE);
    context.globalAlpha = 1;
    context.fillStyle = paintOf("Attention").fill;
    context.fillRect(from, layout.bottom - attention * LANE, wide, attention * LANE);
  }
}

/** Parts of a bin in which the devices were busy, and with attention, categories sharing it. */
export function partsOf(
  strip: Strip,
  whole_ns: number,
): (bin: number) => { attention: number; busy: number } {
  const own = strip.busy_ns[strip.categories.indexOf("Attention")];
  return (bin) => {
    const busy = (strip.device_busy_ns[bin] ?? 0) / whole_ns;
    const all = strip.busy_ns.reduce((sum, row) => sum + (row[bin] ?? 0), 0);
    return { busy, attention: all > 0 ? (busy * (own?.[bin] ?? 0)) / all : 0 };
  };
}

function drawAxis(context: Context, input: BandInput, layout: Layout, right: number): void {
  const { run, mode, width, from_ns, span_ns } = input;
  const colors = CHART_COLORS[mode];
  const top = layout.bottom;
  context.font = `11px ${FONT}`;
  context.textBaseline = "top";
  for (const { ns, text } of timeMarks(run.overview.strip.start_ns + from_ns, span_ns, width)) {
    const x = layout.xOf(ns);
    if (x > right + 1) break;
    context.fillStyle = colors.line;
    context.fillRect(Math.round(x), layout.band, 1, layout.bottom - layout.band);
    context.fillStyle = colors.soft;
    context.fillRect(Math.round(x), top, 1, 3);
    const half = (text.length * DIGIT) / 2;
    context.textAlign = x < half ? "left" : x > width - half ? "right" : "center";
    context.fillText(text, x, top + 4);
  }
}
