// Marks of points, each drawn once and then copied: thousands of them cost little.

import type { Inside, Shape } from "../theme/kinds";
import { CHART_COLORS, type Mode } from "../theme/mode";
import type { Context } from "./Canvas";

/** What tells one mark from another. */
export interface Mark {
  color: string;
  shape: Shape;
  inside: Inside;
  radius: number;
  mode: Mode;
}

/** Pixels of a sprite for each pixel of the page: sharp on every screen and in a picture. */
const FINE = 3;

/** The more points, the smaller. */
export function markRadius(points: number): number {
  if (points > 1500) return 2.2;
  return points > 400 ? 2.8 : 3.8;
}

/** How far the shapes reach, so that all have about the same area. */
const REACH: Readonly<Record<Shape, number>> = {
  disc: 1,
  square: 0.9,
  diamond: 1.25,
  triangle: 1.2,
};

export interface Sprite {
  canvas: HTMLCanvasElement;
  /** Pixels of the page. */
  size: number;
}

const drawn = new Map<string, Sprite>();

export function spriteOf(mark: Mark): Sprite {
  const key = `${mark.color} ${mark.shape} ${mark.inside} ${mark.radius} ${mark.mode}`;
  let sprite = drawn.get(key);
  if (sprite === undefined) {
    const size = Math.ceil(2 * (mark.radius * 1.3 + 1.5));
    const canvas = document.createElement("canvas");
    canvas.width = size * FINE;
    canvas.height = size * FINE;
    const context = canvas.getContext("2d");
    if (context) {
      context.scale(FINE, FINE);
      drawMark(context, mark, size / 2, size / 2);
    }
    sprite = { canvas, size };
    drawn.set(key, sprite);
  }
  return sprite;
}

function drawMark(context: Context, mark: Mark, x: number, y: number): void {
  const { color, inside, radius, mode } = mark;
  const { background } = CHART_COLORS[mode];
  outline(context, mark.shape, x, y, radius);
  if (inside === "filled" || inside === "barred") {
    context.fillStyle = color;
    context.fill();
    if (inside === "filled") return;
    const thick = Math.max(0.9, radius / 3.4);
    context.fillStyle = background;
    context.fillRect(x - radius * 0.75, y - thick / 2, radius * 1.5, thick);
    return;
  }
  context.fillStyle = background;
  context.fill();
  context.strokeStyle = color;
  context.lineWidth = Math.max(1.2, radius / 2.6);
  context.stroke();
  if (inside === "dotted") {
    context.beginPath();
    context.arc(x, y, radius * 0.38, 0, 2 * Math.PI);
    context.fillStyle = color;
    context.fill();
  }
}

export function outline(
  context: Context,
  shape: Shape,
  x: number,
  y: number,
  radius: number,
): void {
  const reach = radius * REACH[shape];
  context.beginPath();
  if (shape === "disc") {
    context.arc(x, y, reach, 0, 2 * Math.PI);
    return;
  }
  for (const [right, down] of CORNERS[shape]) context.lineTo(x + right * reach, y + down * reach);
  context.closePath();
}

const CORNERS: Readonly<Record<Exclude<Shape, "disc">, readonly (readonly [number, number])[]>> = {
  square: [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ],
  diamond: [
    [0, -1],
    [1, 0],
    [0, 1],
    [-1, 0],
  ],
  triangle: [
    [0, -1],
    [1, 0.8],
    [-1, 0.8],
  ],
};
