// Amdahl's law as a waterfall: from the baseline's time to the fused run's, part by part. Where
// each part is, and the drawing.

import type { Amdahl } from "../../api/speedup";
import { markDistance, marksBetween, timeApart } from "../../drawing/axis";
import { type Context, FONT } from "../../drawing/Canvas";
import { duration, exactDuration, timeUnit } from "../../format";
import { paintOf } from "../../theme/colors";
import { CHART_COLORS, type ChartColors, type Mode } from "../../theme/mode";
import { drawOutline } from "./bars";
import { drawHatch } from "./hatch";
import { speedupText } from "./words";

/** baseline, predicted and fused begin at 0; a change begins where the one before it ended. */
export type StepKind = "baseline" | "predicted" | "fused" | "category" | "idle" | "overlap";

export interface Step {
  name: string;
  kind: StepKind;
  from_ns: number;
  to_ns: number;
  /** The part in both runs; null for whole times. */
  part: { baseline_ns: number; fused_ns: number } | null;
  /** Of a whole time against the baseline. */
  speedup: number | null;
}

/** The steps of a law; those that change nothing are left out. The last change ends at fused. */
export function stepsOf(law: Amdahl): Step[] {
  const steps: Step[] = [whole("Baseline", "baseline", law.baseline_ns, 1)];
  let at = law.baseline_ns;
  const change = (name: string, kind: StepKind, baseline_ns: number, fused_ns: number) => {
    const to = at + (fused_ns - baseline_ns);
    if (to === at) return;
    const part = { baseline_ns, fused_ns };
    steps.push({ name, kind, from_ns: at, to_ns: to, part, speedup: null });
    at = to;
  };
  change("Attention", "category", law.attention_baseline_ns, law.attention_fused_ns);
  steps.push(whole("Predicted", "predicted", law.predicted_ns, law.predicted_speedup));
  for (const { name, kind, baseline_ns, fused_ns } of law.changes) {
    change(name, kind as StepKind, baseline_ns, fused_ns);
  }
  steps.push(whole("Fused", "fused", law.fused_ns, law.measured_speedup));
  return steps;
}

function whole(name: string, kind: StepKind, to_ns: number, speedup: number | null): Step {
  return { name, kind, from_ns: 0, to_ns, part: null, speedup };
}

/** A change with its sign: −113 ms. */
export function signed(ns: number): string {
  return ns > 0 ? `+${duration(ns)}` : duration(ns);
}

/** A change with its sign, exact. */
export function signedExact(ns: number): string {
  return `${ns > 0 ? "+" : ""}${exactDuration(ns)}`;
}

export interface WaterfallInput {
  law: Amdahl;
  mode: Mode;
  /** Pixels of the whole chart. */
  width: number;
}

export const TOP = 30;
export const STEP = 26;
const BAR = 16;
const FOOT = 30;
const LABELS = 108;
const END_TEXT = 130;
const MARK_ROOM = 90;
/** Mean width of a letter at 11 px. */
const LETTER = 5.8;

/** Pixels that so many steps take. */
export function waterfallHeight(steps: number): number {
  return TOP + steps * STEP + FOOT;
}

/** Draws with the upper left corner at the origin of `context`. */
export function drawWaterfall(context: Context, input: WaterfallInput): void {
  const { law, width } = input;
  const steps = stepsOf(law);
  const colors = CHART_COLORS[input.mode];
  const ends = steps.flatMap((step) => [step.from_ns, step.to_ns]);
  const [low, high] = [Math.min(0, ...ends), Math.max(1, ...ends)];
  const room = Math.max(80, width - LABELS - END_TEXT);
  const xOf = (ns: number) => LABELS + Math.round(((ns - low) / (high - low)) * room);
  const bottom = TOP + steps.length * STEP;

  const unit = timeUnit([low, high]);
  const distance = markDistance(high - low, room / MARK_ROOM);
  context.font = `11px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const ns of marksBetween(low, high, distance)) {
    context.fillStyle = ns === 0 ? colors.soft : colors.line;
    context.fillRect(xOf(ns), TOP, 1, bottom - TOP);
    context.fillStyle = colors.soft;
    context.fillText(timeApart(ns, distance, unit), xOf(ns), bottom + 6);
  }
  drawLimit(context, law, xOf(law.limit_ns), { bottom, width }, colors);
  steps.forEach((step, row) => {
    const y = TOP + row * STEP + (STEP - BAR) / 2;
    const x = Math.min(xOf(step.from_ns), xOf(step.to_ns));
    const length = Math.max(1, Math.abs(xOf(step.to_ns) - xOf(step.from_ns)));
    drawStep(context, step, { x, y, length }, colors);
    if (row + 1 < steps.length) {
      context.fillStyle = colors.soft;
      context.fillRect(xOf(step.to_ns), y + BAR, 1, STEP - BAR);
    }
    context.textBaseline = "middle";
    context.font = `${step.part === null ? "500 " : ""}12px ${FONT}`;
    context.fillStyle = colors.text;
    context.textAlign = "right";
    context.fillText(step.name, LABELS - 8, y + BAR / 2);
    context.textAlign = "left";
    context.font = `11px ${FONT}`;
    const text = endText(step);
    // The limit's line does not run through figures.
    context.fillStyle = colors.background;
    context.fillRect(x + length + 3, y, context.measureText(text).width + 6, BAR);
    context.fillStyle = colors.text;
    context.fillText(text, x + length + 6, y + BAR / 2);
  });
}

function endText(step: Step): string {
  if (step.part !== null) return signed(step.to_ns - step.from_ns);
  const factor = step.kind === "baseline" ? "" : `, ${speedupText(step.speedup)}`;
  return `${duration(step.to_ns)}${factor}`;
}

function drawStep(
  context: Context,
  step: Step,
  { x, y, length }: { x: number; y: number; length: number },
  colors: ChartColors,
): void {
  if (step.kind === "predicted") {
    drawHatch(context, x, y, length, BAR, colors.accent);
  } else if (step.kind === "baseline" || step.kind === "idle") {
    drawOutline(context, x, y, length, BAR, colors.soft, colors.background);
  } else if (step.kind === "fused" || step.kind === "overlap") {
    context.fillStyle = colors.soft;
    context.fillRect(x, y, length, BAR);
  } else {
    const paint = paintOf(step.name);
    context.fillStyle = paint.fill;
    context.fillRect(x, y, length, BAR);
    if (paint.outline !== null && length > 2) {
      context.strokeStyle = paint.outline;
      context.lineWidth = 1;
      context.strokeRect(x + 0.5, y + 0.5, length - 1, BAR - 1);
    }
  }
}

/** The line that no attention, however fast, gets beyond. */
function drawLimit(
  context: Context,
  law: Amdahl,
  x: number,
  { bottom, width }: { bottom: number; width: number },
  colors: ChartColors,
): void {
  const text = `if attention cost nothing: ${duration(law.limit_ns)}, ${speedupText(law.limit_speedup)}`;
  context.save();
  context.strokeStyle = colors.accent;
  context.lineWidth = 1.5;
  context.setLineDash([4, 3]);
  context.beginPath();
  context.moveTo(x + 0.5, TOP - 6);
  context.lineTo(x + 0.5, bottom);
  context.stroke();
  context.restore();
  const half = (text.length * LETTER) / 2;
  context.font = `11px ${FONT}`;
  context.fillStyle = colors.accent;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.fillText(text, Math.min(width - half - 4, Math.max(half + 4, x)), 6);
}
