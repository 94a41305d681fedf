// The roofline as a drawing: both axes logarithmic, the rates as lines, the ops as marks.

import { type Context, FONT } from "../../drawing/Canvas";
import { placeOf, type Scale } from "../../drawing/scale";
import { outline } from "../../drawing/sprite";
import { bytes, flopRate, shortenMiddle, threeDigits } from "../../format";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import type { Across, Level, Point, Roofed } from "./points";
import { decisive } from "./points";
import { type Roof, roofsOf } from "./roofs";

export const CHART_HEIGHT = 460;

const LEFT = 86;
const RIGHT = 14;
const TOP = 24;
const BOTTOM = 40;
const LEAST = 3;
const MOST = 20;
/** Pixels that the pointer may be off a mark. */
const NEAR = 4;
const MARK_ROOM = 46;
/** How far up the slope its label stands. */
const SLOPE_LABEL = 0.55;
/** Between the labels of two lines. */
const LABEL_ROOM = 11;
const LABEL_LETTERS = 28;
/** Air around the outermost points and roofs. */
const AIR = 2.2;

export interface ChartInput {
  points: readonly Point[];
  runs: readonly Roofed[];
  level: Level;
  across: Across;
  mode: Mode;
  width: number;
}

/** A device, and the runs that have it. */
interface Ceiling {
  name: string;
  bandwidth: number;
  roofs: Roof[];
}

export interface Placed {
  point: Point;
  x: number;
  y: number;
  radius: number;
}

export interface Layout {
  x: Scale;
  y: Scale;
  ceilings: Ceiling[];
  /** Largest first, so that none hides a smaller one. */
  placed: Placed[];
  xOf: (value: number) => number;
  yOf: (value: number) => number;
}

/** Each device once, with the dtypes of all its runs. */
export function ceilingsOf(runs: readonly Roofed[]): Ceiling[] {
  const found = new Map<string, Ceiling>();
  for (const { data } of runs) {
    const { device } = data;
    if (device === null) continue;
    const roofs = roofsOf(device, data);
    const known = found.get(device.name);
    const more = roofs.filter((roof) => known?.roofs.every((each) => each.rate !== roof.rate));
    if (known) known.roofs = [...known.roofs, ...more].toSorted((a, b) => b.rate - a.rate);
    else found.set(device.name, { name: device.name, bandwidth: device.bandwidth, roofs });
  }
  return [...found.values()];
}

function around(values: readonly number[]): Scale {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return { from: 1, to: 1000, isLog: true };
  return { from: low / AIR, to: high * AIR, isLog: true };
}

export function layoutOf({ points, runs, width }: ChartInput): Layout {
  const seen = decisive(points);
  const ceilings = ceilingsOf(runs);
  const peaks = ceilings.flatMap(({ roofs }) => roofs.slice(0, 1).map((roof) => roof.rate));
  const ridges = ceilings.flatMap(({ bandwidth, roofs }) =>
    roofs.slice(0, 1).map((roof) => roof.rate / bandwidth),
  );
  const x = around([...seen.map((point) => point.x), ...ridges]);
  const y = around([...seen.map((point) => point.y), ...peaks]);
  const right = Math.max(LEFT + 1, width - RIGHT);
  const bottom = CHART_HEIGHT - BOTTOM;
  const xOf = (value: number) => LEFT + placeOf(x, value) * (right - LEFT);
  const yOf = (value: number) => bottom - placeOf(y, value) * (bottom - TOP);
  const most = Math.max(1, ...points.map((point) => point.row.time_ns));
  const placed = points
    .filter((point) => isWithin(point.x, x) && isWithin(point.y, y))
    .map((point) => ({
      point,
      x: xOf(point.x),
      y: yOf(point.y),
      radius: Math.max(LEAST, MOST * Math.sqrt(point.row.time_ns / most)),
    }));
  return { x, y, ceilings, placed, xOf, yOf };
}

function isWithin(value: number, { from, to }: Scale): boolean {
  return from <= value && value <= to;
}

/** The mark at a pixel, the smallest and topmost of several; null where there is none. */
export function placedAt(placed: readonly Placed[], x: number, y: number): Placed | null {
  return (
    placed.findLast((each) => Math.hypot(each.x - x, each.y - y) <= each.radius + NEAR) ?? null
  );
}

export function drawChart(context: Context, input: ChartInput): void {
  const layout = layoutOf(input);
  const bottom = CHART_HEIGHT - BOTTOM;
  drawAxes(context, input, layout);
  context.save();
  context.beginPath();
  context.rect(LEFT, TOP - 2, input.width - LEFT - RIGHT, bottom - TOP + 4);
  context.clip();
  layout.ceilings.forEach((ceiling, at) => {
    drawCeiling(context, input, layout, ceiling, at);
  });
  for (const each of layout.placed) drawMark(context, each, input.mode);
  const taken: number[] = [];
  layout.ceilings.forEach((ceiling, at) => {
    drawLabels(context, input, layout, ceiling, at, taken);
  });
  context.restore();
  // Of categories the colour tells, also where several runs would have the same names.
  const isNamed = input.level !== "category" || input.runs.length === 1;
  if (input.level !== "op" && isNamed) drawNames(context, input, layout);
}

/** Powers of ten between the ends of a scale, as many as there is room for. */
export function decades({ from, to }: Scale, room: number): number[] {
  const low = Math.ceil(Math.log10(from) - 1e-9);
  const high = Math.floor(Math.log10(to) + 1e-9);
  const every = Math.max(1, Math.ceil((high - low + 1) / Math.max(1, room)));
  const found: number[] = [];
  for (let power = low; power <= high; power += every) found.push(10 ** power);
  return found;
}

/** A power of ten without the zeros that other figures have behind their point. */
function decadeText(value: number, say: (value: number) => string): string {
  return say(value).replace(/\.0+(?!\d)|(\.\d*[1-9])0+(?!\d)/, "$1");
}

function drawAxes(context: Context, input: ChartInput, layout: Layout): void {
  const colors = CHART_COLORS[input.mode];
  const bottom = CHART_HEIGHT - BOTTOM;
  const right = input.width - RIGHT;
  context.font = `11px ${FONT}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of decades(layout.y, (bottom - TOP) / 26)) {
    const y = Math.round(layout.yOf(value));
    context.fillStyle = colors.line;
    context.fillRect(LEFT, y, right - LEFT, 1);
    context.fillStyle = colors.soft;
    context.fillText(decadeText(value, flopRate), LEFT - 8, y);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const value of decades(layout.x, (right - LEFT) / MARK_ROOM)) {
    const x = Math.round(layout.xOf(value));
    context.fillStyle = colors.line;
    context.fillRect(x, TOP, 1, bottom - TOP);
    context.fillStyle = colors.soft;
    context.fillText(decadeText(value, threeDigits), x, bottom + 6);
  }
  context.textBaseline = "middle";
  context.textAlign = "right";
  const across = input.across === "moved" ? "byte moved" : "byte of the model's parameters";
  context.fillText(`FLOPs a ${across}`, right, bottom + 30);
  context.textAlign = "left";
  context.fillText("FLOPs a second, reached", 0, 8);
}

/** The roofs of one device: the slope of its bandwidth up to each of its rates. */
function drawCeiling(
  context: Context,
  input: ChartInput,
  layout: Layout,
  ceiling: Ceiling,
  at: number,
): void {
  const colors = CHART_COLORS[input.mode];
  const { xOf, yOf, x } = layout;
  const { bandwidth, roofs } = ceiling;
  const [highest] = roofs;
  if (highest === undefined) return;
  const line = (from: [number, number], to: [number, number], dash: number[]) => {
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(xOf(from[0]), yOf(from[1]));
    context.lineTo(xOf(to[0]), yOf(to[1]));
    context.stroke();
    context.setLineDash([]);
  };
  // Of several devices, each has a stroke of its own.
  const stroke = at === 0 ? [] : [9, 3, 2 * at, 3];
  context.strokeStyle = at === 0 ? colors.text : colors.soft;
  context.lineWidth = 1.5;
  const ridge = highest.rate / bandwidth;
  line([x.from, x.from * bandwidth], [ridge, highest.rate], stroke);
  for (const roof of roofs) {
    context.lineWidth = roof === highest ? 1.5 : 1;
    const begin = roof.rate / bandwidth;
    line([begin, roof.rate], [x.to, roof.rate], roof.isMatrix ? stroke : [2, 3]);
  }
}

/** What each line is, above the marks, but where another label (its height is in `taken`) stands. */
function drawLabels(
  context: Context,
  input: ChartInput,
  layout: Layout,
  ceiling: Ceiling,
  at: number,
  taken: number[],
): void {
  const colors = CHART_COLORS[input.mode];
  context.font = `11px ${FONT}`;
  context.fillStyle = at === 0 ? colors.text : colors.soft;
  for (const roof of ceiling.roofs) {
    const y = layout.yOf(roof.rate) - 2;
    if (taken.some((each) => Math.abs(each - y) < LABEL_ROOM)) continue;
    taken.push(y);
    context.textAlign = "right";
    context.textBaseline = "bottom";
    const units = roof.isMatrix ? "" : ", other units";
    const text = `${roof.dtypes.join(", ")}${units}: ${flopRate(roof.rate)}`;
    context.fillText(text, input.width - RIGHT - 4, y);
  }
  drawSlope(context, input, layout, ceiling, at);
}

/** What the slope is, written along it. */
function drawSlope(
  context: Context,
  input: ChartInput,
  layout: Layout,
  ceiling: Ceiling,
  at: number,
): void {
  const { xOf, yOf, x, y } = layout;
  const { bandwidth, roofs } = ceiling;
  const top = roofs[0]?.rate ?? 0;
  const from = Math.max(x.from, y.from / bandwidth);
  const to = top / bandwidth;
  if (to <= from) return;
  // Of several devices, each a bit further down.
  const middle = from * (to / from) ** (SLOPE_LABEL / (1 + at / 2));
  const [dx, dy] = [xOf(to) - xOf(from), yOf(top) - yOf(from * bandwidth)];
  const device = layout.ceilings.length > 1 ? `${ceiling.name}: ` : "";
  const text = `${device}${bytes(bandwidth)}/s`;
  if (Math.hypot(dx, dy) < context.measureText(text).width + 24) return;
  context.save();
  context.translate(xOf(middle), yOf(middle * bandwidth));
  context.rotate(Math.atan2(dy, dx));
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillStyle = CHART_COLORS[input.mode].text;
  context.fillText(text, 0, -3);
  context.restore();
}

function drawMark(context: Context, { point, x, y, radius }: Placed, mode: Mode): void {
  outline(context, point.shape, x, y, radius);
  context.globalAlpha = 0.78;
  context.fillStyle = point.color;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1;
  context.strokeStyle = point.outline ?? CHART_COLORS[mode].background;
  context.stroke();
}

/** Groups are few: each has its name beside it, where no other name is. */
function drawNames(context: Context, input: ChartInput, layout: Layout): void {
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  context.fillStyle = CHART_COLORS[input.mode].text;
  const taken: [number, number, number][] = [];
  for (const { point, x, y, radius } of layout.placed) {
    const text = shortenMiddle(point.row.name, LABEL_LETTERS);
    const { width } = context.measureText(text);
    const isLeft = x + radius + width + 8 > input.width - RIGHT;
    const left = isLeft ? x - radius - width - 6 : x + radius + 6;
    const hides = ([from, to, at]: [number, number, number]) =>
      Math.abs(at - y) < 12 && left < to && from < left + width;
    if (taken.some(hides)) continue;
    taken.push([left, left + width, y]);
    context.textAlign = "left";
    context.fillText(text, left, y);
  }
}
