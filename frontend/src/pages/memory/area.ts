// Memory over time: what is alive of each category, stacked; each value holds until the next time.

import { size, sizeMark } from "../../amounts";
import type { DeviceMemory, MemorySeries } from "../../api/memory";
import { markDistance, marksBetween, timeApart } from "../../drawing/axis";
import { type Context, FONT } from "../../drawing/Canvas";
import { timeUnit } from "../../format";
import { inOrder, paintOf } from "../../theme/colors";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { BEFORE } from "./words";

export interface AreaInput {
  device: DeviceMemory;
  mode: Mode;
  width: number;
  height: number;
}

export interface AreaLayout {
  left: number;
  right: number;
  top: number;
  bottom: number;
  from: number;
  to: number;
  most: number;
  xOf: (ns: number) => number;
  yOf: (bytes: number) => number;
}

const LEFT = 78;
const RIGHT = 18;
const TOP = 24;
const BOTTOM = 26;
const MARK_X = 110;
const MARK_Y = 34;
const MOST_RESERVED = 2;

/** What lay there already is told from the category Other. */
export function fillOf(category: string, mode: Mode): string {
  if (category === BEFORE) return mode === "light" ? "#5f6368" : "#7d8187";
  return paintOf(category).fill;
}

/** The categories from the bottom: what was there before, then as everywhere. */
export function stacked(series: MemorySeries): string[] {
  const names = Object.keys(series.categories);
  const isThere = names.includes(BEFORE);
  return [...(isThere ? [BEFORE] : []), ...inOrder(names.filter((name) => name !== BEFORE))];
}

/** What the allocator held is drawn where it leaves room for what it gave out. */
export function hasReserved({ reserved_peak_bytes, peak_bytes }: DeviceMemory): boolean {
  return reserved_peak_bytes !== null && reserved_peak_bytes <= MOST_RESERVED * peak_bytes;
}

export function layoutOf({ device, width, height }: AreaInput): AreaLayout {
  const { at_ns, allocated_bytes } = device.series;
  const reserved = hasReserved(device) ? (device.reserved_peak_bytes ?? 0) : 0;
  const from = at_ns[0] ?? 0;
  const to = Math.max(from + 1, at_ns.at(-1) ?? 0);
  const most = Math.max(1, device.peak_bytes, reserved, ...allocated_bytes);
  const [left, right, top, bottom] = [
    LEFT,
    Math.max(LEFT + 1, width - RIGHT),
    TOP,
    height - BOTTOM,
  ];
  return {
    ...{ left, right, top, bottom, from, to, most },
    xOf: (ns) => left + ((ns - from) / (to - from)) * (right - left),
    yOf: (bytes) => bottom - (Math.max(0, bytes) / (most * 1.05)) * (bottom - top),
  };
}

/** Which of the times holds at a pixel; -1 beside the chart. */
export function columnAt(series: MemorySeries, layout: AreaLayout, px: number): number {
  if (px < layout.left - 2 || px > layout.right + 2) return -1;
  const { left, right, from, to } = layout;
  const ns = from + ((px - left) / (right - left)) * (to - from);
  const after = series.at_ns.findIndex((each) => each > ns);
  return after < 0 ? series.at_ns.length - 1 : Math.max(0, after - 1);
}

/** Bytes with a binary power between the marks. */
function byteMarks(most: number, room: number): number[] {
  const raw = most / Math.max(1, room);
  const step = 2 ** Math.ceil(Math.log2(Math.max(1, raw)));
  return marksBetween(0, most, step);
}

export function drawArea(context: Context, input: AreaInput): void {
  const layout = layoutOf(input);
  const { series } = input.device;
  drawAxes(context, input, layout);
  const { at_ns } = series;
  let below = at_ns.map(() => 0);
  for (const name of stacked(series)) {
    const values = series.categories[name] ?? [];
    const above = below.map((bytes, at) => bytes + Math.max(0, values[at] ?? 0));
    context.fillStyle = fillOf(name, input.mode);
    context.beginPath();
    steps(context, layout, at_ns, above, 1);
    steps(context, layout, at_ns, below, -1);
    context.closePath();
    context.fill();
    below = above;
  }
  drawReserved(context, input, layout);
  drawPeak(context, input, layout);
}

/** The outline of steps, to the right or back to the left. */
function steps(
  context: Context,
  layout: AreaLayout,
  at_ns: readonly number[],
  values: readonly number[],
  way: 1 | -1,
): void {
  const last = at_ns.length - 1;
  const order = way === 1 ? at_ns.keys() : [...at_ns.keys()].reverse();
  for (const at of order) {
    const y = layout.yOf(values[at] ?? 0);
    const start = layout.xOf(at_ns[at] ?? 0);
    const end = at === last ? layout.right : layout.xOf(at_ns[at + 1] ?? 0);
    context.lineTo(way === 1 ? start : end, y);
    context.lineTo(way === 1 ? end : start, y);
  }
}

function drawReserved(context: Context, input: AreaInput, layout: AreaLayout): void {
  const { at_ns, reserved_bytes } = input.device.series;
  if (!hasReserved(input.device)) return;
  context.strokeStyle = CHART_COLORS[input.mode].text;
  context.lineWidth = 1;
  context.setLineDash([4, 3]);
  context.beginPath();
  reserved_bytes.forEach((bytes, at) => {
    if (bytes === null) return;
    const y = layout.yOf(bytes);
    context.lineTo(layout.xOf(at_ns[at] ?? 0), y);
    context.lineTo(at + 1 < at_ns.length ? layout.xOf(at_ns[at + 1] ?? 0) : layout.right, y);
  });
  context.stroke();
  context.setLineDash([]);
}

function drawPeak(context: Context, input: AreaInput, layout: AreaLayout): void {
  const { device, mode } = input;
  const [x, y] = [layout.xOf(device.peak_ns), layout.yOf(device.peak_bytes)];
  const text = `peak ${size(device.peak_bytes)}`;
  context.font = `11px ${FONT}`;
  context.fillStyle = CHART_COLORS[mode].text;
  context.textBaseline = "bottom";
  const half = context.measureText(text).width / 2;
  context.textAlign = "center";
  const middle = Math.max(layout.left + half, Math.min(layout.right - half, x));
  context.fillText(text, middle, y - 5);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - 4, y - 5);
  context.lineTo(x + 4, y - 5);
  context.fill();
}

function drawAxes(context: Context, input: AreaInput, layout: AreaLayout): void {
  const colors = CHART_COLORS[input.mode];
  const { left, right, top, bottom, from, to, most } = layout;
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const bytes of byteMarks(most, (bottom - top) / MARK_Y)) {
    const y = Math.round(layout.yOf(bytes));
    context.fillStyle = colors.line;
    context.fillRect(left, y, right - left, 1);
    context.fillStyle = colors.soft;
    context.fillText(sizeMark(bytes), left - 8, y);
  }
  context.textBaseline = "top";
  context.textAlign = "center";
  const distance = markDistance(to - from, (right - left) / MARK_X);
  const unit = timeUnit([to]);
  for (const ns of marksBetween(from, to, distance)) {
    const text = timeApart(ns, distance, unit);
    const half = context.measureText(text).width / 2;
    const x = layout.xOf(ns);
    context.fillRect(Math.round(x), bottom, 1, 4);
    context.fillText(text, Math.min(x, input.width - half - 1), bottom + 6);
  }
}
