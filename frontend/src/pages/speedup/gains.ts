// One run as recorded, as predicted with other implementations, and without any attention: the
// bars and the drawing. What is not measured is hatched.

import type { Prediction } from "../../api/speedup";
import { type Context, FONT } from "../../drawing/Canvas";
import { duration, percent, shortenMiddle } from "../../format";
import { paintOf } from "../../theme/colors";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { drawHatch } from "./hatch";
import { speedupText } from "./words";

export interface Gain {
  name: string;
  kind: "recorded" | "predicted" | "limit";
  attention_ns: number;
  total_ns: number;
  speedup: number | null;
  /** Of attention alone. */
  module_speedup: number | null;
  /** What the figure is: measured, predicted, or a limit. */
  note: string;
}

/** The bars from top to bottom. */
export function gainsOf({ run, predicted, limit_speedup }: Prediction): Gain[] {
  const recorded = Object.keys(run.implementations).join(", ");
  // With what it was recorded with, a run takes what was recorded.
  const others = predicted.filter((row) => row.implementation !== recorded);
  return [
    {
      name: recorded === "" ? "recorded" : recorded,
      kind: "recorded",
      attention_ns: run.attention_ns,
      total_ns: run.sum_ns,
      speedup: 1,
      module_speedup: 1,
      note: "measured",
    },
    ...others.map(
      (row): Gain => ({
        name: row.implementation,
        kind: "predicted",
        attention_ns: row.attention_ns,
        total_ns: row.total_ns,
        speedup: row.speedup,
        module_speedup: row.module_speedup,
        note: `predicted, of ${percent(row.covered_share)} % of attention`,
      }),
    ),
    {
      name: "no attention",
      kind: "limit",
      attention_ns: 0,
      total_ns: run.sum_ns - run.attention_ns,
      speedup: limit_speedup,
      module_speedup: null,
      note: "the limit",
    },
  ];
}

export interface GainsInput {
  gains: readonly Gain[];
  mode: Mode;
  /** Pixels of the whole chart. */
  width: number;
}

export const TOP = 24;
export const STEP = 30;
const BAR = 18;
const LABELS = 132;
const LABEL_LETTERS = 18;
const END_TEXT = 330;
const REST = "#9aa0a6";

export function gainsHeight(gains: number): number {
  return TOP + gains * STEP + 6;
}

/** Draws with the upper left corner at the origin of `context`. */
export function drawGains(context: Context, { gains, mode, width }: GainsInput): void {
  const colors = CHART_COLORS[mode];
  const room = Math.max(80, width - LABELS - END_TEXT);
  const longest = Math.max(1, ...gains.map((gain) => gain.total_ns));
  const lengthOf = (ns: number) => Math.round((ns / longest) * room);
  const attention = paintOf("Attention").fill;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.font = `11px ${FONT}`;
  for (const [at, name, fill] of [
    [0, "attention", attention],
    [90, "everything else", REST],
  ] as const) {
    context.fillStyle = fill;
    context.fillRect(LABELS + at, 4, 11, 11);
    context.fillStyle = colors.text;
    context.fillText(name, LABELS + at + 17, 10);
  }
  gains.forEach((gain, row) => {
    const y = TOP + row * STEP + (STEP - BAR) / 2;
    const first = lengthOf(gain.attention_ns);
    const whole = lengthOf(gain.total_ns);
    const put = (x: number, length: number, fill: string) => {
      if (length <= 0) return;
      if (gain.kind !== "recorded") {
        drawHatch(context, x, y, length, BAR, fill);
        return;
      }
      context.fillStyle = fill;
      context.fillRect(x, y, length, BAR);
    };
    put(LABELS, first, attention);
    put(LABELS + first, whole - first, REST);
    context.font = `12px ${FONT}`;
    context.fillStyle = colors.text;
    context.textAlign = "right";
    context.fillText(shortenMiddle(gain.name, LABEL_LETTERS), LABELS - 8, y + BAR / 2);
    context.textAlign = "left";
    context.font = `11px ${FONT}`;
    context.fillText(endText(gain), LABELS + whole + 8, y + BAR / 2);
  });
}

function endText(gain: Gain): string {
  const time = duration(gain.total_ns);
  if (gain.kind === "recorded") return `${time}, ${gain.note}`;
  return `${time}, ${speedupText(gain.speedup)} (${gain.note})`;
}
