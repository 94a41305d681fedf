// The distribution of sequence lengths: bars beside the plot, on its scale of lengths.

import type { Level } from "../../api/attention";
import type { Context } from "../../drawing/Canvas";
import { FONT } from "../../drawing/Canvas";
import { layoutOf, type PlotAxis } from "../../drawing/plot";
import { count, duration } from "../../format";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import type { Weight } from "./view";

export interface HistogramInput {
  levels: readonly Level[];
  weight: Weight;
  y: PlotAxis;
  mode: Mode;
  width: number;
  height: number;
}

/** Levels that fall on the same pixels, longest first, as one bar. */
export interface Bar {
  levels: Level[];
  top: number;
  bottom: number;
  /** In nanoseconds or calls. */
  value: number;
}

const THICK = 6;
/** What a bar of the largest value leaves at its right for its figure. */
const ROOM = 58;

export function weightOf(level: Level, weight: Weight): number {
  return weight === "time" ? level.time_ns : level.calls;
}

export function barsOf(input: HistogramInput): Bar[] {
  const { levels, weight, y, width, height } = input;
  const { yOf } = layoutOf({ x: { ...y, from: 0, to: 1, isLog: false }, y, width, height });
  const bars = new Map<number, Bar>();
  for (const level of levels) {
    const slot = Math.round(yOf(level.q_len) / THICK);
    const bar = bars.get(slot);
    if (bar === undefined) {
      const middle = yOf(level.q_len);
      const ends = { top: middle - THICK / 2 + 0.5, bottom: middle + THICK / 2 - 0.5 };
      bars.set(slot, { levels: [level], ...ends, value: weightOf(level, weight) });
    } else {
      bar.levels.push(level);
      bar.value += weightOf(level, weight);
    }
  }
  return [...bars.values()];
}

export function barAt(bars: readonly Bar[], py: number): Bar | null {
  const off = (bar: Bar) => Math.abs((bar.top + bar.bottom) / 2 - py);
  const near = bars.filter((bar) => off(bar) <= THICK);
  return near.reduce<Bar | null>((best, bar) => (best && off(best) <= off(bar) ? best : bar), null);
}

export function drawHistogram(context: Context, input: HistogramInput): void {
  const { width, height, mode, weight } = input;
  const colors = CHART_COLORS[mode];
  const bars = barsOf(input);
  const { top, bottom } = layoutOf({ x: input.y, y: input.y, width, height });
  const largest = Math.max(1, ...bars.map((bar) => bar.value));
  context.font = `11px ${FONT}`;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillStyle = colors.soft;
  context.fillText(weight === "time" ? "time at this length" : "calls at this length", 0, 0);
  context.fillStyle = colors.line;
  context.fillRect(0, top, 1, bottom - top);
  context.textBaseline = "middle";
  const written: number[] = [];
  for (const bar of [...bars].sort((a, b) => b.value - a.value)) {
    const length = Math.max(1, (bar.value / largest) * Math.max(1, width - ROOM));
    context.fillStyle = colors.accent;
    context.fillRect(1, bar.top, length, bar.bottom - bar.top);
    const middle = (bar.top + bar.bottom) / 2;
    // Where bars are close, the larger one has its figure.
    if (written.some((other) => Math.abs(other - middle) < 13)) continue;
    written.push(middle);
    context.fillStyle = colors.soft;
    const text = weight === "time" ? duration(bar.value) : count(bar.value);
    context.fillText(text, length + 5, middle);
  }
}
