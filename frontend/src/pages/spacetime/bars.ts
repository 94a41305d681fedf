// Paired bars: for each run and axis the time at the left and the FLOPs at the right.

import type { AxisRow, SpaceTime } from "../../api/spacetime";
import { type Context, FONT } from "../../drawing/Canvas";
import { duration, percent, shortenMiddle } from "../../format";
import { axisColor, inOrderOf, titleOf } from "../../theme/kinds";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { flops, type Spaced } from "./words";

const HEAD = 22;
const NAME = 20;
const ROW = 24;
const BAR = 16;
const BETWEEN = 8;
const LABEL = 118;
const VALUE = 152;
const GUTTER = 28;

export interface BarsInput {
  runs: readonly Spaced[];
  mode: Mode;
  width: number;
}

/** The pair of bars of one axis of a run, in pixels. */
export interface Pair {
  run: Spaced;
  row: AxisRow;
  y: number;
  /** Where the bars begin and how long each is. */
  time: { x: number; length: number };
  work: { x: number; length: number };
}

export interface Layout {
  height: number;
  pairs: Pair[];
  names: { text: string; y: number }[];
  columns: { x: number; title: string }[];
}

/** What is compared comes first. */
const ORDER = ["spatial", "temporal", "spatiotemporal", "sequence"];

/** Rows in one order, so that runs can be compared. */
export function axesOf(data: SpaceTime): AxisRow[] {
  const order = inOrderOf(
    ORDER,
    data.axes.map((row) => row.axis),
  );
  return order.flatMap((axis) => data.axes.find((row) => row.axis === axis) ?? []);
}

export function layoutOf({ runs, width }: BarsInput): Layout {
  const rows = runs.flatMap((run) => run.data.axes);
  const longest = Math.max(1, ...rows.map((row) => row.time_ns));
  const most = Math.max(1, ...rows.map((row) => row.flops));
  const half = Math.max(200, (width - LABEL - GUTTER) / 2);
  const room = Math.max(40, half - VALUE);
  const [left, right] = [LABEL, LABEL + half + GUTTER];
  let y = HEAD;
  const layout: Layout = {
    height: 0,
    pairs: [],
    names: [],
    columns: [
      { x: left, title: "time" },
      { x: right, title: "FLOPs" },
    ],
  };
  for (const run of runs) {
    if (runs.length > 1) {
      layout.names.push({ text: shortenMiddle(run.label, 80), y: y + NAME / 2 });
      y += NAME;
    }
    for (const row of axesOf(run.data)) {
      layout.pairs.push({
        run,
        row,
        y,
        time: { x: left, length: (row.time_ns / longest) * room },
        work: { x: right, length: (row.flops / most) * room },
      });
      y += ROW;
    }
    if (run.data.axes.length === 0) y += ROW;
    y += BETWEEN;
  }
  layout.height = y;
  return layout;
}

export function pairAt(layout: Layout, y: number): number {
  return layout.pairs.findIndex((pair) => y >= pair.y && y < pair.y + ROW);
}

export const PAIR_HEIGHT = ROW;

export function drawBars(context: Context, input: BarsInput): void {
  const layout = layoutOf(input);
  const colors = CHART_COLORS[input.mode];
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.font = `11px ${FONT}`;
  context.fillStyle = colors.soft;
  for (const { x, title } of layout.columns) {
    context.fillText(title, x, HEAD / 2);
    context.fillStyle = colors.line;
    context.fillRect(x - 1, HEAD, 1, layout.height - HEAD - BETWEEN);
    context.fillStyle = colors.soft;
  }
  context.font = `12px ${FONT}`;
  for (const { text, y } of layout.names) {
    context.fillStyle = colors.background;
    context.fillRect(0, y - NAME / 2, input.width, NAME);
    context.fillStyle = colors.text;
    context.fillText(text, 0, y);
  }
  for (const { row, y, time, work } of layout.pairs) {
    const middle = y + ROW / 2;
    context.fillStyle = colors.text;
    context.textAlign = "right";
    context.fillText(titleOf(row.axis), LABEL - 10, middle);
    context.textAlign = "left";
    context.fillStyle = axisColor(row.axis, input.mode);
    context.fillRect(time.x, middle - BAR / 2, Math.max(1, time.length), BAR);
    context.fillRect(work.x, middle - BAR / 2, Math.max(1, work.length), BAR);
    context.fillStyle = colors.text;
    const share = `${duration(row.time_ns)}, ${percent(row.share)} %`;
    context.fillText(share, time.x + Math.max(1, time.length) + 6, middle);
    context.fillText(flops(row.flops), work.x + Math.max(1, work.length) + 6, middle);
  }
}
