// The timeline strip of a run, drawn on a canvas: what is where, and the drawing itself.

import type { Gap, Overview } from "../../api/types";
import { threeDigits, timeUnit } from "../../format";
import { inOrder, paintOf } from "../../theme/colors";
import { CHART_COLORS, type Mode } from "../../theme/mode";

export const FONT = "Roboto, system-ui, sans-serif";

/** So many gaps carry a number in the strip, the same as in the table. */
export const MARKED_GAPS = 5;

const STEP_BAND = 13;
const GAP_BAND = 14;
const AXIS_BAND = 18;
const TICK_ROOM = 90;
/** Narrower steps carry no number, and narrower gaps no bracket. */
const STEP_TEXT_MIN = 22;
const GAP_MIN = 3;

export interface StripInput {
  overview: Overview;
  mode: Mode;
  /** Pixels of the whole strip, and of the bars alone. */
  width: number;
  plot: number;
  /** Time that the width stands for. */
  span_ns: number;
}

/** Where things of a strip are, in pixels from its upper left corner. */
export interface Layout {
  top: number;
  bottom: number;
  height: number;
  /** Pixel of a time of the trace. */
  xOf: (ns: number) => number;
  /** The bin at a pixel, or null. */
  binAt: (x: number) => number | null;
}

export function layoutOf(input: StripInput): Layout {
  const { overview, width, plot, span_ns } = input;
  const { strip } = overview;
  const top = overview.steps.length > 0 ? STEP_BAND : 2;
  const bottom = top + plot;
  const perNs = width / Math.max(1, span_ns);
  return {
    top,
    bottom,
    height: bottom + (overview.gaps.length > 0 ? GAP_BAND : 0) + AXIS_BAND,
    xOf: (ns) => (ns - strip.start_ns) * perNs,
    binAt: (x) => {
      const bin = Math.floor(x / perNs / strip.bin_ns);
      return bin >= 0 && bin < strip.bins ? bin : null;
    },
  };
}

/** Time that the devices together have in a bin. */
export function capacity(overview: Overview): number {
  return overview.strip.bin_ns * Math.max(1, overview.devices.length);
}

/** A part of a bin: its category, and where it begins and ends in parts of the full height. */
export interface Slice {
  category: string;
  from: number;
  to: number;
}

/**
 * The stack of a bin. Categories that overlap in time share the height of what is busy, so that
 * a stack is never higher than the device was busy.
 */
export function stackOf(overview: Overview, bin: number): Slice[] {
  const { strip } = overview;
  const order = inOrder(strip.categories);
  const parts = order.map((category) => ({
    category,
    ns: strip.busy_ns[strip.categories.indexOf(category)]?.[bin] ?? 0,
  }));
  const all = parts.reduce((sum, part) => sum + part.ns, 0);
  const full = (strip.device_busy_ns[bin] ?? 0) / capacity(overview);
  let from = 0;
  return parts
    .filter((part) => part.ns > 0)
    .map(({ category, ns }) => {
      const slice = { category, from, to: from + (full * ns) / all };
      from = slice.to;
      return slice;
    });
}

/** The gaps that carry a number; those outside of the strip do not. */
export function markedGaps(overview: Overview): { gap: Gap; number: number }[] {
  return overview.gaps.slice(0, MARKED_GAPS).map((gap, index) => ({ gap, number: index + 1 }));
}

/** Distance of the marks of an axis over `span_ns` of which about `marks` find room. */
export function markDistance(span_ns: number, marks: number): number {
  const raw = Math.max(1, span_ns / Math.max(1, marks));
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((each) => each * power >= raw) ?? 10;
  return factor * power;
}

/** Draws the strip with its upper left corner at the origin of `context`. */
export function drawStrip(context: CanvasRenderingContext2D, input: StripInput): void {
  const { overview, mode, plot } = input;
  const { strip } = overview;
  const layout = layoutOf(input);
  const colors = CHART_COLORS[mode];
  const start = strip.start_ns;
  const end = start + overview.wall_ns;
  const right = Math.round(layout.xOf(end));

  context.fillStyle = colors.empty;
  context.fillRect(0, layout.top, right, plot);
  drawAxis(context, input, layout, right);
  for (let bin = 0; bin < strip.bins; bin += 1) {
    const left = Math.round(layout.xOf(start + bin * strip.bin_ns));
    const next = Math.min(right, Math.round(layout.xOf(start + (bin + 1) * strip.bin_ns)));
    if (next <= left) continue;
    for (const slice of stackOf(overview, bin)) {
      context.fillStyle = paintOf(slice.category).fill;
      const upper = layout.bottom - slice.to * plot;
      context.fillRect(left, upper, next - left, (slice.to - slice.from) * plot);
    }
  }
  drawSteps(context, input, layout, end);
  drawGaps(context, input, layout);
}

function drawSteps(
  context: CanvasRenderingContext2D,
  { overview, mode }: StripInput,
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
    if (to < 0 || from > layout.xOf(end) || to < from) continue;
    context.fillStyle = colors.soft;
    context.fillRect(Math.round(from), 1, 1, STEP_BAND - 1);
    context.fillRect(Math.round(from), STEP_BAND - 2, Math.max(1, to - from - 1), 1);
    if (to - from >= STEP_TEXT_MIN) context.fillText(String(step.index), from + 4, 6);
  }
}

function drawGaps(
  context: CanvasRenderingContext2D,
  { overview, mode, width }: StripInput,
  layout: Layout,
): void {
  const colors = CHART_COLORS[mode];
  context.font = `10px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "center";
  const y = layout.bottom + 3;
  const taken: number[] = [];
  for (const { gap, number } of markedGaps(overview)) {
    const from = layout.xOf(gap.start_ns);
    const to = layout.xOf(gap.start_ns + gap.dur_ns);
    if (to < 0 || from > width) continue;
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

function drawAxis(
  context: CanvasRenderingContext2D,
  { overview, mode, width, span_ns }: StripInput,
  layout: Layout,
  right: number,
): void {
  const colors = CHART_COLORS[mode];
  const start = overview.strip.start_ns;
  const unit = timeUnit([start + span_ns]);
  const distance = markDistance(span_ns, width / TICK_ROOM);
  const top = layout.height - AXIS_BAND;
  context.font = `11px ${FONT}`;
  context.textBaseline = "top";
  for (let at = Math.ceil(start / distance) * distance; at <= start + span_ns; at += distance) {
    const x = layout.xOf(at);
    if (x > right + 1) break;
    context.fillStyle = colors.line;
    context.fillRect(Math.round(x), layout.top, 1, layout.bottom - layout.top);
    context.fillStyle = colors.soft;
    context.fillRect(Math.round(x), top, 1, 3);
    context.textAlign = x < 30 ? "left" : x > width - 40 ? "right" : "center";
    context.fillText(`${threeDigits(at / unit.ns)} ${unit.name}`, x, top + 4);
  }
}
