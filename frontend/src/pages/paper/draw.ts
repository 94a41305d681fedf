// Drawing the small multiples: plots with words beside their points, and stacked bars.

import { markDistance, marksBetween } from "../../drawing/axis";
import { type Context, FONT } from "../../drawing/Canvas";
import { drawPlot, layoutOf, nearest, type PointsInput } from "../../drawing/plot";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { drawHatch } from "../speedup/hatch";
import type { BarRow, BarsPanel, Panel, Tip, XyPanel } from "./model";

export const XY_HEIGHT = 232;
const HEAD = 22;
const ROW = 19;
const BAR = 13;
const AXIS = 36;
const END = 64;
const LABEL_MOST = 224;
const NEAR = 16;

export interface Place {
  mode: Mode;
  width: number;
}

export function heightOf(panel: Panel): number {
  return panel.kind === "xy" ? XY_HEIGHT + HEAD : HEAD + panel.rows.length * ROW + AXIS;
}

export function inputOf(panel: XyPanel, place: Place): PointsInput {
  const { points, looks, lines, x, y } = panel;
  const isJoined = panel.isJoined ?? false;
  return { points, looks, lines, x, y, isJoined, ...place, height: XY_HEIGHT };
}

interface Span {
  row: number;
  part: number;
  x: number;
  width: number;
}

export interface BarsLayout {
  left: number;
  room: number;
  to: number;
  spans: Span[];
}

export function layoutBars(panel: BarsPanel, width: number): BarsLayout {
  const letters = Math.max(...panel.rows.map((row) => row.name.length + row.note.length), 4);
  const left = Math.min(LABEL_MOST, Math.max(56, letters * 6.4 + 18), width * 0.45);
  const room = Math.max(40, width - left - END);
  const sums = panel.rows.map((row) => row.parts.reduce((sum, part) => sum + part.value, 0));
  const to = Math.max(...sums, panel.mark ?? 0) || 1;
  const spans = panel.rows.flatMap((row, at) => {
    let x = left;
    return row.parts.map((part, place) => {
      const span = { row: at, part: place, x, width: (part.value / to) * room };
      x += span.width;
      return span;
    });
  });
  return { left, room, to, spans };
}

export function draw(context: Context, panel: Panel, place: Place): void {
  const colors = CHART_COLORS[place.mode];
  context.font = `500 12px ${FONT}`;
  context.fillStyle = colors.text;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(panel.title, 0, 2);
  context.save();
  context.translate(0, HEAD);
  if (panel.kind === "xy") drawXy(context, panel, place);
  else drawBars(context, panel, place);
  context.restore();
}

function drawXy(context: Context, panel: XyPanel, place: Place): void {
  const input = inputOf(panel, place);
  drawPlot(context, input);
  if (panel.names === undefined) return;
  const layout = layoutOf(input);
  const taken = Array.from(panel.points.x, (value, at): [number, number, number, number] => {
    const [x, y] = [layout.xOf(value), layout.yOf(panel.points.y[at] as number)];
    return [x - 5, y - 5, x + 5, y + 5];
  });
  context.font = `11px ${FONT}`;
  context.fillStyle = CHART_COLORS[place.mode].text;
  context.textBaseline = "middle";
  context.textAlign = "left";
  panel.names.forEach((name, at) => {
    if (name === "") return;
    const x = layout.xOf(panel.points.x[at] as number);
    const y = layout.yOf(panel.points.y[at] as number);
    const width = context.measureText(name).width;
    const spots = [
      [x + 8, y],
      [x - 8 - width, y],
      [x - width / 2, y - 12],
      [x - width / 2, y + 12],
      [x + 8, y - 10],
      [x + 8, y + 10],
      [x - width / 2, y - 22],
      [x - width / 2, y + 22],
    ] as const;
    const free = spots.find(
      ([left, middle]) =>
        left >= layout.left &&
        left + width <= place.width &&
        middle > 4 &&
        taken.every(
          ([l, t, r, b]) => left > r || left + width < l || middle - 6 > b || middle + 6 < t,
        ),
    );
    if (free === undefined) return;
    taken.push([free[0], free[1] - 6, free[0] + width, free[1] + 6]);
    context.fillText(name, free[0], free[1]);
  });
}

function drawBars(context: Context, panel: BarsPanel, place: Place): void {
  const colors = CHART_COLORS[place.mode];
  const { left, room, to, spans } = layoutBars(panel, place.width);
  const bottom = panel.rows.length * ROW;
  const distance = markDistance(to, room / 70);
  context.font = `11px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const value of marksBetween(0, to, distance)) {
    const x = Math.round(left + (value / to) * room);
    context.fillStyle = colors.line;
    context.fillRect(x, 0, 1, bottom);
    context.fillStyle = colors.soft;
    context.fillText(panel.say(value), x, bottom + 4);
  }
  context.fillStyle = colors.soft;
  context.fillText(panel.axis, left + room / 2, bottom + 19);
  context.textBaseline = "middle";
  for (const { row, part, x, width } of spans) {
    const { color, outline } = (panel.rows[row] as BarRow).parts[part] as BarRow["parts"][number];
    const top = row * ROW + (ROW - BAR) / 2;
    if (panel.rows[row]?.isCited) {
      drawHatch(context, x, top, Math.max(1, width), BAR, color);
      continue;
    }
    context.fillStyle = color;
    context.fillRect(x, top, width > 0 ? Math.max(0.5, width) : 0, BAR);
    if (outline !== null && width > 2) {
      context.strokeStyle = outline;
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, top + 0.5, width - 1, BAR - 1);
    }
  }
  panel.rows.forEach((row, at) => {
    const y = at * ROW + ROW / 2;
    const last = spans.findLast((span) => span.row === at);
    context.textAlign = "left";
    context.fillStyle = colors.text;
    if (row.name !== "") context.fillText(row.name, 0, y);
    context.fillText(row.end, (last ? last.x + last.width : left) + 5, y);
    context.textAlign = "right";
    context.fillStyle = colors.soft;
    context.fillText(row.note, left - 6, y);
  });
  if (panel.mark !== undefined) {
    context.fillStyle = colors.text;
    context.fillRect(Math.round(left + (panel.mark / to) * room), 0, 1, bottom);
  }
}

/** What one can point at, in the order in which keys go through it. */
export function tipsOf(panel: Panel): readonly Tip[] {
  return panel.kind === "xy"
    ? panel.tips
    : panel.rows.flatMap((row) => row.parts.map((part) => part.tip));
}

/** Which of the tips is at a pixel, or -1. */
export function tipAt(panel: Panel, place: Place, x: number, y: number): number {
  if (panel.kind === "xy") {
    const input = inputOf(panel, place);
    return nearest(input, layoutOf(input), x, y - HEAD, NEAR) ?? -1;
  }
  const row = Math.floor((y - HEAD) / ROW);
  return layoutBars(panel, place.width).spans.findIndex(
    (span) => span.row === row && x >= span.x && x < span.x + Math.max(3, span.width),
  );
}

/** Where a tip belongs, in pixels of the panel. */
export function spotOf(panel: Panel, place: Place, tip: number): { x: number; y: number } {
  if (panel.kind === "xy") {
    const layout = layoutOf(inputOf(panel, place));
    const { x, y } = panel.points;
    return { x: layout.xOf(x[tip] as number), y: HEAD + layout.yOf(y[tip] as number) };
  }
  const span = layoutBars(panel, place.width).spans[tip];
  return { x: span ? span.x + span.width / 2 : 0, y: HEAD + ((span?.row ?? 0) + 1) * ROW };
}
