// The timeline strip of a run, drawn on a canvas: what is where, and the drawing itself.

import type { Gap, Overview, Strip } from "../../api/types";
import { markDistance, marksBetween, timeApart } from "../../drawing/axis";
import { type Context, FONT } from "../../drawing/Canvas";
import { duration, timeUnit } from "../../format";
import { inOrder, paintOf } from "../../theme/colors";
import { CHART_COLORS, type Mode } from "../../theme/mode";

/** So many gaps carry a number in the strip, the same as in the table. */
export const MARKED_GAPS = 5;

const STEP_BAND = 13;
const GAP_BAND = 14;
const AXIS_BAND = 18;
/** Mean width of a digit of the axis, and the room around a mark. */
const DIGIT = 6.4;
const MARK_GAP = 44;
/** Narrower steps carry no number, and narrower gaps no bracket. */
const STEP_TEXT_MIN = 22;
const GAP_MIN = 3;

export interface StripInput {
  overview: Overview;
  /** Finer bins of a part of it, where there are any. */
  finer: Strip | null;
  mode: Mode;
  /** Pixels of the whole strip, and of the bars alone. */
  width: number;
  plot: number;
  /** The time at the left edge, counted from the start of the strip, and that of the width. */
  from_ns: number;
  span_ns: number;
}

/** A bin, of the overview's strip or of the finer one. */
export interface Bin {
  strip: Strip;
  index: number;
  from_ns: number;
  to_ns: number;
}

/** Where things of a strip are, in pixels from its upper left corner. */
export interface Layout {
  top: number;
  bottom: number;
  height: number;
  /** Pixel of a time of the trace, and the reverse. */
  xOf: (ns: number) => number;
  nsAt: (x: number) => number;
  /** The bin that is drawn at a time of the trace, or null. */
  binAt: (ns: number) => Bin | null;
}

export function layoutOf(input: StripInput): Layout {
  const { overview, finer, width, plot, from_ns, span_ns } = input;
  const top = overview.steps.length > 0 ? STEP_BAND : 2;
  const bottom = top + plot;
  const perNs = width / Math.max(1, span_ns);
  const first = overview.strip.start_ns + from_ns;
  return {
    top,
    bottom,
    height: bottom + (overview.gaps.length > 0 ? GAP_BAND : 0) + AXIS_BAND,
    xOf: (ns) => (ns - first) * perNs,
    nsAt: (x) => first + x / perNs,
    binAt: (ns) => {
      if (ns >= overview.strip.start_ns + overview.wall_ns) return null;
      return (finer && binOf(finer, ns)) ?? binOf(overview.strip, ns);
    },
  };
}

function binOf(strip: Strip, ns: number): Bin | null {
  const index = Math.floor((ns - strip.start_ns) / strip.bin_ns);
  if (index < 0 || index >= strip.bins) return null;
  const from_ns = strip.start_ns + index * strip.bin_ns;
  return { strip, index, from_ns, to_ns: from_ns + strip.bin_ns };
}

/** Time that the devices together have in a bin. */
export function capacity(overview: Overview, strip: Strip): number {
  return strip.bin_ns * Math.max(1, overview.devices.length);
}

/** The categories of a strip in the order of a stack, each with its figures. */
export function rowsOf(strip: Strip): { category: string; busy_ns: readonly number[] }[] {
  return inOrder(strip.categories).map((category) => ({
    category,
    busy_ns: strip.busy_ns[strip.categories.indexOf(category)] ?? [],
  }));
}

/** A part of a bin: its category, and where it begins and ends in parts of the full height. */
export interface Slice {
  category: string;
  from: number;
  to: number;
}

/**
 * The stacks of all bins. Categories that overlap in time share the height of what is busy, so
 * that a stack is never higher than the device was busy.
 */
export function stacksOf(overview: Overview, strip: Strip): (bin: number) => Slice[] {
  const rows = rowsOf(strip);
  const whole = capacity(overview, strip);
  return (bin) => {
    const all = rows.reduce((sum, row) => sum + (row.busy_ns[bin] ?? 0), 0);
    const full = (strip.device_busy_ns[bin] ?? 0) / whole;
    const slices: Slice[] = [];
    let from = 0;
    for (const { category, busy_ns } of rows) {
      const ns = busy_ns[bin] ?? 0;
      if (ns === 0) continue;
      const to = from + (full * ns) / all;
      slices.push({ category, from, to });
      from = to;
    }
    return slices;
  };
}

/** The largest gaps between two times: those that carry a number. */
export function markedGaps(
  overview: Overview,
  from_ns: number,
  to_ns: number,
): { gap: Gap; number: number }[] {
  return overview.gaps
    .map((gap, index) => ({ gap, number: index + 1 }))
    .filter(({ gap }) => gap.start_ns < to_ns && gap.start_ns + gap.dur_ns > from_ns)
    .slice(0, MARKED_GAPS);
}

/** Draws the strip with its upper left corner at the origin of `context`. */
export function drawStrip(context: Context, input: StripInput): void {
  const { overview, finer, mode, width, plot } = input;
  const { strip } = overview;
  const layout = layoutOf(input);
  const colors = CHART_COLORS[mode];
  const end = strip.start_ns + overview.wall_ns;
  const right = Math.min(width, Math.round(layout.xOf(end)));

  context.save();
  context.beginPath();
  context.rect(0, 0, width, layout.height);
  context.clip();
  if (right > 0) {
    context.fillStyle = colors.empty;
    context.fillRect(0, layout.top, right, plot);
    drawAxis(context, input, layout, right);
    if (finer === null) drawBins(context, input, layout, strip, [0, right]);
    else {
      const [from, to] = [finer.start_ns, finer.start_ns + finer.bins * finer.bin_ns];
      const left = Math.max(0, Math.round(layout.xOf(from)));
      const next = Math.min(right, Math.round(layout.xOf(to)));
      drawBins(context, input, layout, strip, [0, Math.min(left, right)]);
      drawBins(context, input, layout, finer, [left, next]);
      drawBins(context, input, layout, strip, [Math.max(0, next), right]);
    }
    drawSteps(context, input, layout, end);
    drawGaps(context, input, layout);
  } else {
    context.font = `12px ${FONT}`;
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillStyle = colors.soft;
    context.fillText(`ends at ${duration(end)}, before this`, 4, layout.top + plot / 2);
  }
  context.restore();
}

/** Draws the bins of `strip` between two pixels. */
function drawBins(
  context: Context,
  { overview, plot }: StripInput,
  layout: Layout,
  strip: Strip,
  [left, right]: readonly [number, number],
): void {
  if (right <= left) return;
  const stackOf = stacksOf(overview, strip);
  const edge = (bin: number) => Math.round(layout.xOf(strip.start_ns + bin * strip.bin_ns));
  const place = (x: number) => (layout.nsAt(x) - strip.start_ns) / strip.bin_ns;
  const first = Math.max(0, Math.floor(place(left)));
  const last = Math.min(strip.bins, Math.ceil(place(right)));
  for (let bin = first; bin < last; bin += 1) {
    const from = Math.max(left, edge(bin));
    const to = Math.min(right, edge(bin + 1));
    if (to <= from) continue;
    for (const slice of stackOf(bin)) {
      context.fillStyle = paintOf(slice.category).fill;
      const upper = layout.bottom - slice.to * plot;
      context.fillRect(from, upper, to - from, (slice.to - slice.from) * plot);
    }
  }
}

function drawSteps(
  context: Context,
  { overview, mode, width }: StripInput,
  layout: Layout,
  end: number,
): void {
  const colors = CHART_COLORS[mode];
  context.font = `10px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const step of overview.steps) {
    const from = layout.xOf(Math.max(step.start_ns, overview.strip.start_ns));
    const to = layout.xOf(Math.min(step.start_ns + step.dur_ns, end));
    if (to < 0 || from > width || to < from) continue;
    context.fillStyle = colors.soft;
    context.fillRect(Math.round(from), 1, 1, STEP_BAND - 1);
    context.fillRect(Math.round(from), STEP_BAND - 2, Math.max(1, to - from - 1), 1);
    const left = Math.max(0, from);
    if (to - left >= STEP_TEXT_MIN) context.fillText(String(step.index), left + 4, 6);
  }
}

function drawGaps(context: Context, { overview, mode, width }: StripInput, layout: Layout): void {
  const colors = CHART_COLORS[mode];
  context.font = `10px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "center";
  const y = layout.bottom + 3;
  const taken: number[] = [];
  for (const { gap, number } of markedGaps(overview, layout.nsAt(0), layout.nsAt(width))) {
    const from = Math.max(0, layout.xOf(gap.start_ns));
    const to = Math.min(width, layout.xOf(gap.start_ns + gap.dur_ns));
    const middle = Math.min(width - 5, Math.max(5, (from + to) / 2));
    context.fillStyle = colors.accent;
    const wide = Math.max(GAP_MIN, to - from);
    context.fillRect(middle - wide / 2, y - 2, wide, 2);
    // Where gaps are close to each other, the larger one keeps its number.
    if (taken.some((other) => Math.abs(other - middle) < 9)) continue;
    taken.push(middle);
    context.fillText(String(number), middle, y + 7);
  }
}

/** The marks of the axis of time: enough digits to tell them apart, and room for these. */
export function timeMarks(from_ns: number, span_ns: number, width: number) {
  const unit = timeUnit([from_ns + span_ns]);
  const write = (distance: number) => (ns: number) => timeApart(ns, distance, unit);
  let distance = markDistance(span_ns, width / (8 * DIGIT + MARK_GAP));
  const letters = write(distance)(from_ns + span_ns).length;
  distance = markDistance(span_ns, width / (letters * DIGIT + MARK_GAP));
  const text = write(distance);
  return marksBetween(from_ns, from_ns + span_ns, distance).map((ns) => ({ ns, text: text(ns) }));
}

function drawAxis(
  context: Context,
  { overview, mode, width, from_ns, span_ns }: StripInput,
  layout: Layout,
  right: number,
): void {
  const colors = CHART_COLORS[mode];
  const top = layout.height - AXIS_BAND;
  context.font = `11px ${FONT}`;
  context.textBaseline = "top";
  for (const { ns, text } of timeMarks(overview.strip.start_ns + from_ns, span_ns, width)) {
    const x = layout.xOf(ns);
    if (x > right + 1) break;
    context.fillStyle = colors.line;
    context.fillRect(Math.round(x), layout.top, 1, layout.bottom - layout.top);
    context.fillStyle = colors.soft;
    context.fillRect(Math.round(x), top, 1, 3);
    const half = (text.length * DIGIT) / 2;
    context.textAlign = x < half ? "left" : x > width - half ? "right" : "center";
    context.fillText(text, x, top + 4);
  }
}
