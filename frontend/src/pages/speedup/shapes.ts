// Speedups by shape against q_len × kv_len: where each shape lies, and the drawing.

import type { ShapeSpeedup } from "../../api/speedup";
import { type Context, FONT } from "../../drawing/Canvas";
import { drawPlot, layoutOf, type PointsInput } from "../../drawing/plot";
import { type Scale, scaleAround } from "../../drawing/scale";
import { type Mark, spriteOf } from "../../drawing/sprite";
import { count, metric } from "../../format";
import {
  axisInside,
  inOrderOf,
  KIND_ORDER,
  kindColor,
  kindShape,
  NONE,
  titleOf,
} from "../../theme/kinds";
import { CHART_COLORS, type Mode } from "../../theme/mode";

export interface ShapesInput {
  shapes: readonly ShapeSpeedup[];
  mode: Mode;
  width: number;
}

/** A shape as it is drawn. */
export interface Bubble {
  shape: ShapeSpeedup;
  x: number;
  y: number;
  radius: number;
}

export const SHAPES_HEIGHT = 330;

const LEAST = 3;
const MOST = 20;
/** Pixels that the pointer may be off a mark. */
const NEAR = 4;
const NO_POINTS = { x: [], y: [], look: [] };

/** Shapes of which both lengths and the speedup are known. Median: one slow call decides a sum. */
export function drawable(shapes: readonly ShapeSpeedup[]): ShapeSpeedup[] {
  return shapes.filter((shape) => scoresOf(shape) > 0 && (shape.median_speedup ?? 0) > 0);
}

/** Elements of the score matrix of a head; 0 where a length is not known. */
export function scoresOf(shape: ShapeSpeedup): number {
  return (shape.q_len ?? 0) * (shape.kv_len ?? 0);
}

/** The bubbles, largest first, so that none hides a smaller one. */
export function layoutShapes(input: ShapesInput): Bubble[] {
  const shapes = drawable(input.shapes);
  const { xOf, yOf } = layoutOf(axesOf(input, shapes));
  const most = Math.max(1, ...shapes.map((shape) => shape.baseline_ns));
  return shapes
    .toSorted((a, b) => b.baseline_ns - a.baseline_ns)
    .map((shape) => ({
      shape,
      x: xOf(scoresOf(shape)),
      y: yOf(shape.median_speedup ?? 1),
      radius: Math.max(LEAST, Math.round(2 * MOST * Math.sqrt(shape.baseline_ns / most)) / 2),
    }));
}

/** The bubble at a pixel, the smallest and topmost of several; null where there is none. */
export function bubbleAt(bubbles: readonly Bubble[], x: number, y: number): Bubble | null {
  return (
    bubbles.findLast((each) => Math.hypot(each.x - x, each.y - y) <= each.radius + NEAR) ?? null
  );
}

export function drawShapes(context: Context, input: ShapesInput): void {
  const bubbles = layoutShapes(input);
  const shapes = bubbles.map((bubble) => bubble.shape);
  drawPlot(context, axesOf(input, shapes));
  context.globalAlpha = 0.8;
  for (const { shape, x, y, radius } of bubbles) {
    const { canvas, size } = spriteOf(markOf(shape, radius, input.mode));
    context.drawImage(canvas, x - size / 2, y - size / 2, size, size);
  }
  context.globalAlpha = 1;
  drawKinds(context, shapes, input);
}

type Looks = Pick<ShapeSpeedup, "kind" | "axis">;

function markOf({ kind, axis }: Looks, radius: number, mode: Mode): Mark {
  const inside = axisInside(axis);
  return { color: kindColor(kind, mode), shape: kindShape(kind), inside, radius, mode };
}

function axesOf(input: ShapesInput, shapes: readonly ShapeSpeedup[]): PointsInput {
  const around = (values: number[]): Scale =>
    scaleAround(
      values.map((value) => [value, value]),
      true,
    );
  const x = around(shapes.map(scoresOf));
  const colors = CHART_COLORS[input.mode];
  return {
    points: NO_POINTS,
    looks: [],
    lines: [{ x: [x.from, x.to], y: [1, 1], color: colors.soft, isDashed: true }],
    x: {
      ...x,
      title: "q_len × kv_len",
      say: (value) => (value < 1e6 ? count(value) : metric(value)),
    },
    // The line at 1 is always in view.
    y: {
      ...around([1, ...shapes.map((shape) => shape.median_speedup ?? 1)]),
      title: "speedup",
      say: (value) => `${value}×`,
    },
    mode: input.mode,
    width: input.width,
    height: SHAPES_HEIGHT,
  };
}

/** What the marks stand for, at the upper right. */
function drawKinds(context: Context, shapes: readonly ShapeSpeedup[], input: ShapesInput): void {
  context.font = `11px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.fillStyle = CHART_COLORS[input.mode].text;
  let right = input.width - 10;
  for (const { kind, axis } of looksOf(shapes).toReversed()) {
    const text = [kind, axis].flatMap((word) => (word === null ? [] : titleOf(word))).join(", ");
    context.fillText(text || titleOf(NONE), right, 7);
    right -= context.measureText(text || titleOf(NONE)).width + 12;
    const { canvas, size } = spriteOf(markOf({ kind, axis }, 4.5, input.mode));
    context.drawImage(canvas, right - size / 2 + 2, 7 - size / 2, size, size);
    right -= 14;
  }
}

/** The kinds and axes of shapes, each once; all sequences are alike inside. */
function looksOf(shapes: readonly Looks[]): Looks[] {
  const found = new Map(shapes.map(({ kind, axis }) => [`${kind} ${axis}`, { kind, axis }]));
  const kinds = inOrderOf(
    KIND_ORDER,
    shapes.map((shape) => shape.kind ?? NONE),
  );
  return kinds.flatMap((name) => [...found.values()].filter(({ kind }) => (kind ?? NONE) === name));
}
