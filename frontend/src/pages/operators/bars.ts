// The stacked bars: a bar a run, normalised to the base or in time. Where each part is, and the
// drawing.

import type { CategoryBar, Comparison, RunBar } from "../../api/types";
import { apart, markDistance, marksBetween } from "../../drawing/axis";
import { type Context, drawDots, FONT } from "../../drawing/Canvas";
import { duration, factor, percent, shortenMiddle, timeUnit } from "../../format";
import type { Scale } from "../../state/url";
import { inOrder, paintOf } from "../../theme/colors";
import { CHART_COLORS, type ChartColors, type Mode } from "../../theme/mode";

export interface BarsInput {
  comparison: Comparison;
  scale: Scale;
  mode: Mode;
  /** Pixels of the whole chart. */
  width: number;
}

/** A category in the bar of a run, in pixels from the upper left corner. */
export interface Part {
  /** Place of the run in the comparison. */
  index: number;
  run: RunBar;
  bar: CategoryBar;
  x: number;
  width: number;
  /** Where the part whose launch is not in the trace begins, up to the end. */
  unlinked_x: number;
}

export interface Bars {
  left: number;
  /** Where the longest bar ends. */
  right: number;
  parts: Part[];
  /** What stands left of each bar, and at its end. */
  runs: { label: string; end: number; total: string }[];
  marks: { x: number; text: string }[];
  axisTitle: string;
}

const BAR_HEIGHT = 26;
const STEP = 40;
const FOOT = 44;
const TOP = 8;
const LABEL_LETTERS = 30;
/** Mean width of a letter at 12 px in the widest of the fonts. */
const LETTER = 7.7;
const TOTAL_WIDTH = 150;
/** Narrower parts of a bar carry no text. */
const TEXT_MIN = 44;
/** Narrower parts have no line around them, which would hide them. */
const LINE_MIN = 4;
const MARK_ROOM = 90;

/** Pixels that `runs` bars take. */
export function barsHeight(runs: number): number {
  return TOP + runs * STEP + FOOT;
}

/** Upper edge of a bar, and its height. */
export function barAt(index: number): { y: number; height: number } {
  return { y: TOP + index * STEP + (STEP - BAR_HEIGHT) / 2, height: BAR_HEIGHT };
}

/** What is drawn: relative to the base where the base has any time, else time. */
export function drawnScale(comparison: Comparison, scale: Scale): Scale {
  return comparison.runs.every((run) => run.relative !== null) ? scale : "absolute";
}

export function layoutBars(input: BarsInput): Bars {
  const { comparison, width } = input;
  const { runs } = comparison;
  const isRelative = drawnScale(comparison, input.scale) === "relative";
  const unit = timeUnit(runs.map((run) => run.basis_sum_ns));
  const lengthOf = (run: RunBar) => (isRelative ? (run.relative ?? 0) : run.basis_sum_ns / unit.ns);
  const partLength = (bar: CategoryBar) =>
    isRelative ? (bar.relative ?? 0) : bar.sum_ns / unit.ns;
  const longest = Math.max(...runs.map(lengthOf), 0) || 1;
  const labels = runs.map((run) => shortenMiddle(run.run, LABEL_LETTERS));
  const left = Math.ceil(20 + LETTER * Math.max(...labels.map((label) => label.length)));
  const room = Math.max(100, width - left - TOTAL_WIDTH);
  const xOf = (length: number) => left + Math.round((length / longest) * room);
  const order = inOrder(runs.flatMap((run) => run.categories.map((bar) => bar.category)));

  const parts = runs.flatMap((run, index) => {
    let from = 0;
    return order.flatMap((category) => {
      const bar = run.categories.find((each) => each.category === category);
      if (bar === undefined || bar.sum_ns === 0) return [];
      const to = from + partLength(bar);
      const linked = to - (to - from) * (bar.unlinked_ns / bar.sum_ns);
      const x = xOf(from);
      from = to;
      return [{ index, run, bar, x, width: xOf(to) - x, unlinked_x: xOf(linked) }];
    });
  });
  const distance = markDistance(longest, room / MARK_ROOM);
  return {
    left,
    right: left + room,
    parts,
    runs: runs.map((run, index) => ({
      label: labels[index] ?? "",
      end: xOf(lengthOf(run)),
      total: total(run, index),
    })),
    marks: marksBetween(0, longest, distance).map((at) => ({
      x: xOf(at),
      text: apart(at, distance),
    })),
    axisTitle: isRelative ? `relative to ${shortenMiddle(comparison.base, 40)}` : unit.name,
  };
}

function total(run: RunBar, index: number): string {
  const time = duration(run.basis_sum_ns);
  return index === 0 || run.relative === null ? time : `${time}, ${factor(run.relative)}`;
}

/** The part at a pixel, or null; a part too thin for a pixel is found at its edge. */
export function partAt(bars: Bars, x: number, y: number): Part | null {
  const found = bars.parts.find((part) => {
    const { y: top, height } = barAt(part.index);
    const right = part.x + Math.max(1, part.width);
    return y >= top && y < top + height && x >= part.x && x < right;
  });
  return found ?? null;
}

/** Draws the bars with their upper left corner at the origin of `context`. */
export function drawBars(context: Context, input: BarsInput): void {
  const bars = layoutBars(input);
  const colors = CHART_COLORS[input.mode];
  const bottom = TOP + bars.runs.length * STEP;
  drawAxis(context, bars, bottom, colors);
  for (const part of bars.parts) drawPart(context, part, colors);
  context.font = `12px ${FONT}`;
  context.textBaseline = "middle";
  context.fillStyle = colors.text;
  bars.runs.forEach(({ label, end, total }, index) => {
    const { y, height } = barAt(index);
    context.textAlign = "right";
    context.fillText(label, bars.left - 8, y + height / 2);
    context.textAlign = "left";
    context.fillText(total, end + 8, y + height / 2);
  });
}

function drawPart(context: Context, part: Part, colors: ChartColors): void {
  const { x, width, unlinked_x } = part;
  if (width <= 0) return;
  const { y, height } = barAt(part.index);
  const paint = paintOf(part.bar.category);
  context.fillStyle = paint.fill;
  context.fillRect(x, y, width, height);
  drawDots(context, unlinked_x, y, x + width - unlinked_x, height);
  if (width >= LINE_MIN && paint.outline !== null) {
    context.strokeStyle = paint.outline;
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  } else if (width >= LINE_MIN) {
    context.fillStyle = colors.background;
    context.fillRect(x + width - 0.5, y, 0.5, height);
  }
  const room = unlinked_x - x;
  if (room < TEXT_MIN) return;
  context.font = `11px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = paint.text;
  context.fillText(`${percent(part.bar.share)} %`, x + room / 2, y + height / 2);
}

function drawAxis(context: Context, bars: Bars, bottom: number, colors: ChartColors): void {
  context.font = `11px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const { x, text } of bars.marks) {
    context.fillStyle = colors.line;
    context.fillRect(x, TOP, 1, bottom - TOP);
    context.fillStyle = colors.soft;
    context.fillText(text, x, bottom + 6);
  }
  context.fillStyle = colors.soft;
  context.fillRect(bars.left, TOP, 1, bottom - TOP);
  context.fillText(bars.axisTitle, (bars.left + bars.right) / 2, bottom + 24);
}
