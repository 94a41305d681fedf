// The hatch that stands for what is predicted, on a canvas.

import type { Context } from "../../drawing/Canvas";

const DISTANCE = 7;

/** A rectangle with slanted lines in `color`, and a line around it. */
export function drawHatch(
  context: Context,
  x: number,
  y: number,
  width: number,
  height: number,
  color: string,
): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let from = x - height; from < x + width; from += DISTANCE) {
    context.moveTo(from, y + height);
    context.lineTo(from + height, y);
  }
  context.stroke();
  context.restore();
  if (width < 2) return;
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
}
