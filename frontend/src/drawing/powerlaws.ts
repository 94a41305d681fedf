// Points against a size, both axes logarithmic, with the power laws fitted to them: where each
// lies, what is drawn, which one is near. A power law is a straight line here.

import type { Inside, Shape } from "../theme/kinds";
import { CHART_COLORS, type Mode } from "../theme/mode";
import { type Context, FONT } from "./Canvas";
import { spriteOf } from "./sprite";

/** value = factor · size ** exponent. */
export interface PowerLaw {
  exponent: number;
  factor: number;
  /** The sizes that it was fitted to, where these are not all of the points. */
  fitted?: readonly [number, number];
}

export interface LawPoint {
  x: number;
  y: number;
}

/** Points of one thing, and the laws through them where there are any. */
export interface LawSeries {
  name: string;
  color: string;
  shape: Shape;
  inside: Inside;
  isDashed: boolean;
  points: readonly LawPoint[];
  /** More than one where smaller and larger sizes were fitted apart. */
  laws: readonly PowerLaw[];
}

/** Where two laws meet. */
export interface Meeting {
  x: number;
  y: number;
  text: string;
  /** Of the one that becomes the larger. */
  color: string;
  /** Beyond the sizes that were measured. */
  isPredicted: boolean;
}

export interface LawAxis {
  title: string;
  say: (value: number) => string;
  /** Its marks are powers of two, as those of bytes are. */
  isBinary?: boolean;
}

export interface LawsInput {
  series: readonly LawSeries[];
  meetings: readonly Meeting[];
  x: LawAxis;
  y: LawAxis;
  mode: Mode;
  width: number;
  height: number;
}

type Ends = readonly [number, number];

export interface LawsLayout {
  x: Ends;
  y: Ends;
  /** Smallest and largest size that was measured. */
  seen: Ends;
  left: number;
  right: number;
  top: number;
  bottom: number;
  xOf: (value: number) => number;
  yOf: (value: number) => number;
  /** The meetings near enough to the data to be drawn. */
  meetings: readonly Meeting[];
}

const LEFT = 78;
const RIGHT = 18;
const TOP = 26;
const BOTTOM = 40;
const RADIUS = 4.2;
const NEAR = 14;
/** Meetings further from the data are told in words only; those at small sizes interest less. */
const MAX_TIMES = { below: 1.5, beyond: 4 };
/** Room beside the data. */
const AIR = 1.18;
const MARK_X = 46;
const MARK_Y = 26;

/** A point of one of the series, by its place in them. */
export interface Placed {
  series: LawSeries;
  point: LawPoint;
  /** Places of both. */
  of: number;
  at: number;
}

/** All points that can be drawn, from the smallest size on, the highest of each first. */
export function placed(series: readonly LawSeries[]): Placed[] {
  return series
    .flatMap((each, of) =>
      each.points.map((point, at): Placed => ({ series: each, point, of, at })),
    )
    .filter(({ point }) => point.x > 0 && point.y > 0)
    .sort((a, b) => a.point.x - b.point.x || b.point.y - a.point.y);
}

export function lawAt({ exponent, factor }: PowerLaw, x: number): number {
  return factor * x ** exponent;
}

export function layoutOf(input: LawsInput): LawsLayout {
  const { series, width, height } = input;
  const points = placed(series).map(({ point }) => point);
  const sizes = points.map(({ x }) => x);
  const seen: Ends = sizes.length > 0 ? [Math.min(...sizes), Math.max(...sizes)] : [1, 2];
  const meetings = input.meetings.filter(
    ({ x, y }) => x >= seen[0] / MAX_TIMES.below && x <= seen[1] * MAX_TIMES.beyond && y > 0,
  );
  const x: Ends = [
    Math.min(seen[0], ...meetings.map((each) => each.x)) / AIR,
    Math.max(seen[1], ...meetings.map((each) => each.x)) * AIR,
  ];
  const heights = [...points.map((point) => point.y), ...meetings.map((each) => each.y)];
  const lines = series.flatMap((each) =>
    pieces(each, x).flatMap(({ law, from, to }) => [lawAt(law, from), lawAt(law, to)]),
  );
  // A law that runs far below the points would leave these no room.
  const least = Math.min(...heights) / 4;
  const values = [...heights, ...lines.map((value) => Math.max(value, least))];
  const y: Ends =
    values.length > 0 ? [Math.min(...values) / 1.4, Math.max(...values) * 1.4] : [1, 10];
  const [left, right] = [LEFT, Math.max(LEFT + 1, width - RIGHT)];
  const [top, bottom] = [TOP, height - BOTTOM];
  const place = (value: number, [from, to]: Ends) => Math.log(value / from) / Math.log(to / from);
  return {
    ...{ x, y, seen, left, right, top, bottom, meetings },
    xOf: (value) => left + place(value, x) * (right - left),
    yOf: (value) => bottom - place(value, y) * (bottom - top),
  };
}

/** The point near a pixel, as its place in `all`; null where none is. */
export function nearest(
  all: readonly Placed[],
  layout: LawsLayout,
  px: number,
  py: number,
): number | null {
  let [found, best] = [null as number | null, NEAR];
  all.forEach(({ point }, index) => {
    const off = Math.hypot(layout.xOf(point.x) - px, layout.yOf(point.y) - py);
    if (off < best) [found, best] = [index, off];
  });
  return found;
}

/** Of the marks below, from the densest on that a span of a decade or less needs. */
const STEPS: readonly (readonly number[])[] = [
  [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9],
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8],
  [1, 1.5, 2, 3, 5, 7],
  [1, 2, 5],
  [1, 3],
  [1],
];
/** The marks that a longer span begins with. */
const USUAL = 3;

/** 1, 2 and 5 times powers of ten within `ends`: fewer where the room is short, else at least 3. */
export function decadeMarks([from, to]: Ends, room: number): number[] {
  const [low, high] = [Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))];
  const of = (steps: readonly number[], every: number) => {
    const found: number[] = [];
    for (let power = low; power <= high; power += 1) {
      if ((power - low) % every !== 0) continue;
      for (const step of steps) {
        const value = step * 10 ** power;
        if (value >= from && value <= to) found.push(value);
      }
    }
    return found;
  };
  const most = Math.max(2, Math.floor(room));
  const dense = of(STEPS[USUAL] as readonly number[], 1).length < 3 ? 0 : USUAL;
  for (const steps of STEPS.slice(dense)) {
    const marks = of(steps, 1);
    if (marks.length <= most) return marks;
  }
  return of([1], Math.ceil((high - low + 1) / most));
}

/** Powers of two within `ends`, as far apart as the room asks for. */
export function binaryMarks([from, to]: Ends, room: number): number[] {
  const [low, high] = [Math.ceil(Math.log2(from)), Math.floor(Math.log2(to))];
  const most = Math.max(2, Math.floor(room));
  const every = [1, 2, 5, 10].find((each) => (high - low) / each < most) ?? 20;
  const found: number[] = [];
  for (let power = Math.ceil(low / every) * every; power <= high; power += every) {
    found.push(2 ** power);
  }
  return found;
}

/** The sizes that were measured, as many as find room for their text; the largest always does. */
export function sizeMarks(input: LawsInput, layout: LawsLayout): number[] {
  const sizes = [...new Set(placed(input.series).map(({ point }) => point.x))];
  const kept: number[] = [];
  for (const size of sizes.sort((a, b) => b - a)) {
    const next = kept.at(-1);
    if (next === undefined || layout.xOf(next) - layout.xOf(size) >= MARK_X) kept.push(size);
  }
  return kept.reverse();
}

export function drawLaws(context: Context, input: LawsInput): void {
  const layout = layoutOf(input);
  drawAxes(context, input, layout);
  context.save();
  context.beginPath();
  const { left, right, top, bottom } = layout;
  context.rect(left - 6, top - 6, right - left + 12, bottom - top + 12);
  context.clip();
  for (const series of input.series) {
    drawJoined(context, layout, series);
    drawPieces(context, layout, series);
  }
  for (const { series, point } of placed(input.series)) {
    const { color, shape, inside } = series;
    const mark = spriteOf({ color, shape, inside, radius: RADIUS, mode: input.mode });
    const [x, y] = [layout.xOf(point.x), layout.yOf(point.y)];
    context.drawImage(mark.canvas, x - mark.size / 2, y - mark.size / 2, mark.size, mark.size);
  }
  context.restore();
  drawMeetings(context, input, layout);
}

function drawAxes(context: Context, input: LawsInput, layout: LawsLayout): void {
  const colors = CHART_COLORS[input.mode];
  const { left, right, top, bottom } = layout;
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const marks = input.y.isBinary ? binaryMarks : decadeMarks;
  for (const value of marks(layout.y, (bottom - top) / MARK_Y)) {
    const y = Math.round(layout.yOf(value));
    context.fillStyle = colors.line;
    context.fillRect(left, y, right - left, 1);
    context.fillStyle = colors.soft;
    context.fillText(input.y.say(value), left - 8, y);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const value of sizeMarks(input, layout)) {
    const x = Math.round(layout.xOf(value));
    context.fillStyle = colors.line;
    context.fillRect(x, top, 1, bottom - top);
    context.fillStyle = colors.soft;
    context.fillText(input.x.say(value), x, bottom + 6);
  }
  context.fillStyle = colors.line;
  context.fillRect(left, bottom, right - left, 1);
  context.fillStyle = colors.soft;
  context.textAlign = "right";
  context.fillText(input.x.title, right, bottom + 22);
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(input.y.title, 0, 8);
}

/** A faint line from point to point; of several at one size from their geometric mean. */
function drawJoined(context: Context, layout: LawsLayout, series: LawSeries): void {
  const heights = new Map<number, number[]>();
  for (const { x, y } of series.points) {
    if (x > 0 && y > 0) heights.set(x, [...(heights.get(x) ?? []), Math.log(y)]);
  }
  context.strokeStyle = series.color;
  context.lineWidth = 1;
  context.globalAlpha = 0.35;
  context.beginPath();
  for (const [x, logs] of [...heights].sort(([a], [b]) => a - b)) {
    const mean = logs.reduce((sum, each) => sum + each, 0) / logs.length;
    context.lineTo(layout.xOf(x), layout.yOf(Math.exp(mean)));
  }
  context.stroke();
  context.globalAlpha = 1;
}

/** A stretch of a law, as it is drawn. */
interface Piece {
  law: PowerLaw;
  from: number;
  to: number;
  /** Beyond what it was fitted to. */
  isPredicted: boolean;
}

/** The laws of a series within `ends`: the outer ones go on beyond what they were fitted to. */
export function pieces({ laws, points }: LawSeries, ends: Ends): Piece[] {
  const sizes = points.filter(({ x, y }) => x > 0 && y > 0).map(({ x }) => x);
  const all = laws.map((law) => ({
    law,
    fitted: law.fitted ?? ([Math.min(...sizes), Math.max(...sizes)] as const),
  }));
  const ordered = all.toSorted((a, b) => a.fitted[0] - b.fitted[0]);
  return ordered
    .flatMap(({ law, fitted: [first, last] }, at): Piece[] => [
      ...(at === 0 ? [{ law, from: ends[0], to: first, isPredicted: true }] : []),
      { law, from: first, to: last, isPredicted: false },
      ...(at === ordered.length - 1 ? [{ law, from: last, to: ends[1], isPredicted: true }] : []),
    ])
    .filter(({ from, to }) => to > from);
}

/** Thin and dotted beyond the data: there it is a prediction. */
function drawPieces(context: Context, layout: LawsLayout, series: LawSeries): void {
  context.strokeStyle = series.color;
  for (const { law, from, to, isPredicted } of pieces(series, layout.x)) {
    context.lineWidth = isPredicted ? 1 : 1.8;
    context.setLineDash(isPredicted ? [1, 3] : series.isDashed ? [6, 4] : []);
    context.beginPath();
    context.moveTo(layout.xOf(from), layout.yOf(lawAt(law, from)));
    context.lineTo(layout.xOf(to), layout.yOf(lawAt(law, to)));
    context.stroke();
  }
  context.setLineDash([]);
}

/** A text for each as far as there is room, the first of the list before the others. */
function drawMeetings(context: Context, input: LawsInput, layout: LawsLayout): void {
  const colors = CHART_COLORS[input.mode];
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "center";
  const taken: Ends[] = [];
  for (const { x: size, y: value, text, color, isPredicted } of layout.meetings) {
    const [x, y] = [layout.xOf(size), layout.yOf(value)];
    context.strokeStyle = color;
    context.lineWidth = 1.2;
    context.beginPath();
    context.arc(x, y, 7, 0, 2 * Math.PI);
    context.stroke();
    const half = context.measureText(text).width / 2;
    const middle = Math.min(input.width - half - 2, Math.max(layout.left + half, x));
    const [from, to] = [middle - half - 5, middle + half + 5];
    // A text that would run into another is left to the table.
    if (taken.some(([start, end]) => from < end && to > start)) continue;
    taken.push([from, to]);
    context.setLineDash(isPredicted ? [3, 3] : []);
    context.beginPath();
    context.moveTo(x, layout.top);
    context.lineTo(x, y - 7);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colors.text;
    context.fillText(text, middle, layout.top - 12);
  }
}
