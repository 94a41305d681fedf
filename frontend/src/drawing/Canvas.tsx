// A canvas that is as wide as its place and drawn anew when what it shows changes.

import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export type Context = CanvasRenderingContext2D;

export const FONT = "Roboto, system-ui, sans-serif";

/** Pixels that `box` is wide, kept up to date; 0 before it was ever seen. */
export function useWidth(box: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    // A hidden tab has no width: what was drawn stays until there is one.
    const measure = () => element.clientWidth > 0 && setWidth(element.clientWidth);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, [box]);
  return width;
}

/** `draw` draws in pixels of the page, from the upper left corner. */
export function Canvas(props: { width: number; height: number; draw: (context: Context) => void }) {
  const { width, height, draw } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    // Setting its size also clears a canvas.
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    context.scale(ratio, ratio);
    draw(context);
  }, [width, height, draw]);
  return <canvas ref={canvas} style={{ width: "100%", height: `${height}px` }} />;
}

const dotted = new WeakMap<Context, CanvasPattern>();

/** Puts the dots that stand for device events without a launch over a rectangle. */
export function drawDots(
  context: Context,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  let pattern = dotted.get(context);
  if (pattern === undefined) {
    const tile = document.createElement("canvas");
    tile.width = 4;
    tile.height = 4;
    const dot = tile.getContext("2d") as Context;
    dot.fillStyle = "rgba(0, 0, 0, 0.6)";
    dot.arc(2, 2, 1, 0, 2 * Math.PI);
    dot.fill();
    pattern = context.createPattern(tile, "repeat") as CanvasPattern;
    dotted.set(context, pattern);
  }
  context.fillStyle = pattern;
  context.fillRect(x, y, width, height);
}
