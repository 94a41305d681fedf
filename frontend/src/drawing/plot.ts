// Points in a plot with two axes: where each lies, how it is drawn, which one is near.

import type { Inside, Shape } from "../theme/kinds";
import { CHART_COLORS, type Mode } from "../theme/mode";
import { markDistance } from "./axis";
import { type Context, FONT } from "./Canvas";
import { marksOf, placeOf, type Scale, valueAt } from "./scale";
import { type Mark, markRadius, spriteOf } from "./sprite";
import type { Stretch } from "./stretch";

/** How the points of a group are drawn. */
export interface Look {
  color: string;
  shape: Shape;
  inside: Inside;
}

/** Points as columns of equal length, in order of x. */
export interface PointColumns {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  /** Index into `looks`. */
  look: ArrayLike<number>;
  /** A lighter second mark at the same x, where it differs from `y`; below 0 is none. */
  second?: ArrayLike<number>;
}

/** A line through the plot: a fitted curve, a ceiling. */
export interface Line {
  x: readonly number[];
  y: readonly number[];
  color: string;
  isDashed: boolean;
}

export interface PlotAxis extends Scale {
  title: string;
  /** How its marks are written; `distance` is that of neighbours, 0 on a logarithmic scale. */
  say?: (value: number, distance: number) => string;
}

/** What is drawn, whether on the page or into a picture. */
export interface PointsInput {
  points: PointColumns;
  looks: readonly Look[];
  lines?: readonly Line[];
  /** Stretches of the x axis with a shade behind them. */
  bands?: readonly Stretch[];
  x: PlotAxis;
  y: PlotAxis;
  /** Joins neighbours by a thin line where there is room to see it. */
  isJoined?: boolean;
  /** Index of the point with a ring around it. */
  marked?: number | null;
  mode: Mode;
  width: number;
  height: number;
}

const LEFT = 58;
const RIGHT = 10;
const TOP = 20;
const BOTTOM = 36;
const MARK_X = 92;
const MARK_Y = 30;
const SECOND_ALPHA = 0.42;
/** Pixels between points below which a line between them would only be a blot. */
const JOIN_ROOM = 2;

export interface PlotLayout {
  left: number;
  right: number;
  top: number;
  bottom: number;
  xOf: (value: number) => number;
  yOf: (value: number) => number;
  xAt: (pixel: number) => number;
}

export function layoutOf(input: Pick<PointsInput, "x" | "y" | "width" | "height">): PlotLayout {
  const { x, y, width, height } = input;
  const [left, right, top, bottom] = [
    LEFT,
    Math.max(LEFT + 1, width - RIGHT),
    TOP,
    height - BOTTOM,
  ];
  return {
    left,
    right,
    top,
    bottom,
    xOf: (value) => left + placeOf(x, value) * (right - left),
    yOf: (value) => bottom - placeOf(y, value) * (bottom - top),
    xAt: (pixel) => valueAt(x, (pixel - left) / (right - left)),
  };
}

/** The first of the ascending `values` that is `value` or more. */
export function lowerBound(values: ArrayLike<number>, value: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First and one past the last of the points whose x is in view. */
export function inView(input: Pick<PointsInput, "points" | "x">): [number, number] {
  const { points, x } = input;
  return [lowerBound(points.x, x.from), lowerBound(points.x, x.to + Number.EPSILON * x.to)];
}

/** The point nearest to a pixel, its second mark included; null where none is `near` pixels off. */
export function nearest(
  input: PointsInput,
  layout: PlotLayout,
  px: number,
  py: number,
  near: number,
): number | null {
  const { points } = input;
  const first = lowerBound(points.x, layout.xAt(px - near));
  let found: number | null = null;
  let best = near * near;
  for (let at = first; at < points.x.length; at += 1) {
    const dx = layout.xOf(points.x[at] as number) - px;
    if (dx > near) break;
    for (const value of [points.y[at], points.second?.[at]]) {
      if (value === undefined || value < 0) continue;
      const dy = layout.yOf(value) - py;
      if (dx * dx + dy * dy < best) {
        best = dx * dx + dy * dy;
        found = at;
      }
    }
  }
  return found;
}

export function drawPlot(context: Context, input: PointsInput): void {
  const layout = layoutOf(input);
  const colors = CHART_COLORS[input.mode];
  const { left, right, top, bottom } = layout;
  context.font = `11px ${FONT}`;
  drawBands(context, input, layout);
  drawAxes(context, input, layout);
  context.save();
  context.beginPath();
  // Marks at the very edge are seen whole.
  context.rect(left - 6, top - 6, right - left + 12, bottom - top + 12);
  context.clip();
  for (const line of input.lines ?? []) {
    context.strokeStyle = line.color;
    context.lineWidth = 1.5;
    context.setLineDash(line.isDashed ? [5, 4] : []);
    context.beginPath();
    line.x.forEach((value, at) => {
      context.lineTo(layout.xOf(value), layout.yOf(line.y[at] ?? Number.NaN));
    });
    context.stroke();
    context.setLineDash([]);
  }
  drawPoints(context, input, layout);
  context.restore();
  const { marked, points } = input;
  if (typeof marked === "number" && points.x[marked] !== undefined) {
    const x = layout.xOf(points.x[marked]);
    if (x < left - 1 || x > right + 1) return;
    context.strokeStyle = colors.text;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(x, layout.yOf(points.y[marked] as number), 8, 0, 2 * Math.PI);
    context.moveTo(x, top);
    context.lineTo(x, layout.yOf(points.y[marked] as number) - 8);
    context.stroke();
  }
}

function drawBands(context: Context, input: PointsInput, layout: PlotLayout): void {
  context.fillStyle = CHART_COLORS[input.mode].empty;
  for (const [from, to] of input.bands ?? []) {
    const start = Math.max(layout.left, layout.xOf(from));
    const end = Math.min(layout.right, layout.xOf(to));
    if (end > start) context.fillRect(start, layout.top, end - start, layout.bottom - layout.top);
  }
}

function drawAxes(context: Context, input: PointsInput, layout: PlotLayout): void {
  const colors = CHART_COLORS[input.mode];
  const { left, right, top, bottom, xOf, yOf } = layout;
  context.strokeStyle = colors.line;
  context.fillStyle = colors.soft;
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  const marks = { x: (right - left) / MARK_X, y: (bottom - top) / MARK_Y };
  for (const { value, text } of written(input.y, marks.y)) {
    const y = Math.round(yOf(value)) + 0.5;
    line(context, left, y, right, y);
    context.fillText(text, left - 6, y);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const { value, text } of written(input.x, marks.x)) {
    const x = Math.round(xOf(value)) + 0.5;
    line(context, x, bottom, x, bottom + 4);
    // The outermost marks stay inside of the picture.
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(x, input.width - half - 1), bottom + 6);
  }
  line(context, left, bottom + 0.5, right, bottom + 0.5);
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(input.y.title, 0, 0);
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.fillText(input.x.title, right, input.height);
}

function written(axis: PlotAxis, room: number): { value: number; text: string }[] {
  const marks = marksOf(axis, Math.max(1, Math.floor(room)));
  const { say } = axis;
  if (say === undefined) return marks;
  const distance = axis.isLog
    ? 0
    : markDistance(axis.to - axis.from, Math.max(1, Math.floor(room)));
  return marks.map(({ value }) => ({ value, text: say(value, distance) }));
}

function line(context: Context, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function drawPoints(context: Context, input: PointsInput, layout: PlotLayout): void {
  const { points, looks, mode } = input;
  const [first, last] = inView(input);
  const radius = markRadius(last - first);
  const marks = looks.map((look): Mark => ({ ...look, radius, mode }));
  const put = (mark: Mark, value: number, at: number) => {
    const { canvas, size } = spriteOf(mark);
    const x = layout.xOf(points.x[at] as number);
    context.drawImage(canvas, x - size / 2, layout.yOf(value) - size / 2, size, size);
  };
  if (input.isJoined && (layout.right - layout.left) / Math.max(1, last - first) > JOIN_ROOM) {
    context.strokeStyle = CHART_COLORS[mode].soft;
    context.globalAlpha = 0.45;
    context.lineWidth = 1;
    context.beginPath();
    // From one before to one beyond: a line goes on out of view.
    for (let at = Math.max(0, first - 1); at < Math.min(points.x.length, last + 1); at += 1) {
      context.lineTo(layout.xOf(points.x[at] as number), layout.yOf(points.y[at] as number));
    }
    context.stroke();
    context.globalAlpha = 1;
  }
  const { second } = points;
  if (second !== undefined) {
    context.globalAlpha = SECOND_ALPHA;
    for (let at = first; at < last; at += 1) {
      const mark = marks[points.look[at] as number];
      const value = second[at] as number;
      if (mark && value > 0 && value !== points.y[at]) put(mark, value, at);
    }
    context.globalAlpha = 1;
  }
  for (let at = first; at < last; at += 1) {
    const mark = marks[points.look[at] as number];
    if (mark) put(mark, points.y[at] as number, at);
  }
}
