// The paired bars: for each category the baseline's time and the fused run's. Where they are, and
// the drawing.

import type { CategoryShift, Speedup } from "../../api/speedup";
import { apart, markDistance, marksBetween } from "../../drawing/axis";
import { type Context, FONT } from "../../drawing/Canvas";
import { duration, percent, timeUnit } from "../../format";
import type { Scale } from "../../state/url";
import { inOrder, paintOf } from "../../theme/colors";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { speedupText } from "./words";

export interface BarsInput {
  speedup: Speedup;
  scale: Scale;
  mode: Mode;
  /** Pixels of the whole chart. */
  width: number;
}

/** A category with the lengths of its two bars in pixels, and what stands at their ends. */
export interface Pair {
  shift: CategoryShift;
  base: { width: number; text: string };
  fused: { width: number; text: string };
}

export interface Bars {
  left: number;
  room: number;
  pairs: Pair[];
  marks: { x: number; text: string }[];
  axisTitle: string;
}

export const TOP = 22;
export const STEP = 38;
const BAR = 13;
const FOOT = 44;
const LABELS = 108;
const END_TEXT = 66;
const FACTORS = 62;
const MARK_ROOM = 84;

/** Pixels that so many categories take. */
export function barsHeight(categories: number): number {
  return TOP + categories * STEP + FOOT;
}

/** Relative to the baseline where it has any time, else time. */
export function drawnScale(speedup: Speedup, scale: Scale): Scale {
  return speedup.baseline.sum_ns > 0 ? scale : "absolute";
}

/** The categories from top to bottom, in the order of all bars: Attention is the first. */
export function inRows(categories: readonly CategoryShift[]): CategoryShift[] {
  const order = inOrder(categories.map((row) => row.category));
  return categories.toSorted((a, b) => order.indexOf(a.category) - order.indexOf(b.category));
}

export function layoutBars(input: BarsInput): Bars {
  const { speedup, width } = input;
  const rows = inRows(speedup.categories);
  const isRelative = drawnScale(speedup, input.scale) === "relative";
  const times = rows.flatMap((row) => [row.baseline_ns, row.fused_ns]);
  const unit = timeUnit(times);
  const whole = isRelative ? speedup.baseline.sum_ns / 100 : unit.ns;
  const longest = Math.max(...times, 0) / whole || 1;
  const room = Math.max(80, width - LABELS - END_TEXT - FACTORS);
  const bar = (ns: number) => ({
    width: Math.round((ns / whole / longest) * room),
    text: ns === 0 ? "–" : isRelative ? `${percent(ns / whole / 100)} %` : duration(ns),
  });
  const distance = markDistance(longest, room / MARK_ROOM);
  return {
    left: LABELS,
    room,
    pairs: rows.map((shift) => ({
      shift,
      base: bar(shift.baseline_ns),
      fused: bar(shift.fused_ns),
    })),
    marks: marksBetween(0, longest, distance).map((at) => ({
      x: LABELS + Math.round((at / longest) * room),
      text: apart(at, distance),
    })),
    axisTitle: isRelative ? "% of the baseline's time" : unit.name,
  };
}

/** Draws the bars with their upper left corner at the origin of `context`. */
export function drawBars(context: Context, input: BarsInput): void {
  const bars = layoutBars(input);
  const colors = CHART_COLORS[input.mode];
  const bottom = TOP + bars.pairs.length * STEP;
  context.font = `11px ${FONT}`;
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const { x, text } of bars.marks) {
    context.fillStyle = colors.line;
    context.fillRect(x, TOP, 1, bottom - TOP);
    context.fillStyle = colors.soft;
    context.fillText(text, x, bottom + 6);
  }
  context.fillText(bars.axisTitle, bars.left + bars.room / 2, bottom + 24);
  context.textAlign = "right";
  context.fillText("speedup", input.width - 4, 4);
  drawOutline(context, bars.left, 5, 18, 10, colors.soft, colors.background);
  context.fillStyle = colors.soft;
  context.fillRect(bars.left + 90, 5, 18, 10);
  context.textAlign = "left";
  context.fillStyle = colors.text;
  context.fillText("baseline", bars.left + 24, 4);
  context.fillText("fused", bars.left + 114, 4);
  bars.pairs.forEach((pair, row) => {
    const y = TOP + row * STEP;
    const { category, speedup } = pair.shift;
    const isMain = category === "Attention";
    if (isMain) {
      context.fillStyle = colors.empty;
      context.fillRect(0, y, input.width, STEP);
    }
    const paint = paintOf(category);
    const line = paint.outline ?? paint.fill;
    const top = y + STEP / 2 - BAR - 1;
    drawOutline(context, bars.left, top, pair.base.width, BAR, line, colors.background);
    context.fillStyle = paint.fill;
    context.fillRect(bars.left, top + BAR + 2, pair.fused.width, BAR);
    if (paint.outline !== null && pair.fused.width > 2) {
      context.strokeStyle = paint.outline;
      context.lineWidth = 1;
      context.strokeRect(bars.left + 0.5, top + BAR + 2.5, pair.fused.width - 1, BAR - 1);
    }
    const weight = isMain ? "500 " : "";
    context.textBaseline = "middle";
    context.font = `${weight}12px ${FONT}`;
    context.fillStyle = colors.text;
    context.textAlign = "right";
    context.fillText(category, bars.left - 8, y + STEP / 2);
    context.fillText(speedupText(speedup), input.width - 4, y + STEP / 2);
    context.font = `11px ${FONT}`;
    context.textAlign = "left";
    context.fillStyle = colors.soft;
    context.fillText(pair.base.text, bars.left + pair.base.width + 6, top + BAR / 2 + 0.5);
    context.fillStyle = colors.text;
    context.fillText(pair.fused.text, bars.left + pair.fused.width + 6, top + BAR * 1.5 + 2.5);
  });
  context.fillStyle = colors.soft;
  context.fillRect(bars.left, TOP, 1, bottom - TOP);
}

/** A bar that is hollow: the baseline's. */
export function drawOutline(
  context: Context,
  x: number,
  y: number,
  width: number,
  height: number,
  color: string,
  inside: string,
): void {
  if (width < 3) {
    context.fillStyle = color;
    context.fillRect(x, y, width, height);
    return;
  }
  context.fillStyle = inside;
  context.fillRect(x, y, width, height);
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.strokeRect(x + 1, y + 1, width - 2, height - 2);
}
