// Zooming in on a stretch of an axis and moving along it, by pointer, wheel and keys.

import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import { moved, type Stretch, within, zoomed } from "./stretch";

/** Shorter drags are clicks. */
const DRAG_MIN = 4;
/** A full turn of a wheel doubles or halves what is shown. */
const WHEEL_TURN = 120;
const LINE = 16;

export interface Pixel {
  x: number;
  y: number;
}

export interface Zoom {
  /** Nothing is shown beyond. */
  whole: Stretch;
  /** Null shows all. */
  shown: Stretch | null;
  /** The shortest stretch that is shown. */
  least: number;
  onStretch: (next: Stretch | null) => void;
}

interface Gestures {
  box: RefObject<HTMLElement | null>;
  /** Left out, the axis stays still. */
  zoom: Zoom | undefined;
  /** Pixels between which the axis lies, and the value at one of them. */
  edges: readonly [number, number];
  valueAt: (x: number) => number;
  /** What is in view. */
  shown: Stretch;
  /** The value that stays in its place when keys zoom; null is the middle. */
  around: number | null;
  /** Where the pointer is; null when nothing is pointed at any more. */
  onPoint: (at: Pixel | null) => void;
  onClick?: (at: Pixel) => void;
  /** Has what is so many further be pointed at. */
  step: (by: number) => void;
  onEnter?: () => void;
  /** Escape where all is in view. */
  onEscape?: () => void;
}

interface Drag {
  start: number;
  now: number;
  /** What was shown when it began to be moved; null where a stretch is being chosen. */
  moving: Stretch | null;
}

/** Handlers for the box, and what goes on: whether it is dragged, and the pixels being chosen. */
export function useGestures(of: Gestures) {
  const { box, zoom, edges, valueAt, shown } = of;
  const [drag, setDrag] = useState<Drag | null>(null);
  const [left, right] = edges;
  const inside = (x: number) => Math.min(right, Math.max(left, x));
  const span = valueAt(right) - valueAt(left);

  function pixelOf(event: MouseEvent): Pixel {
    const rect = box.current?.getBoundingClientRect();
    return { x: event.clientX - (rect?.left ?? 0), y: event.clientY - (rect?.top ?? 0) };
  }
  const zoomBy = (factor: number, value: number) =>
    zoom?.onStretch(zoomed(shown, factor, value, zoom.whole, zoom.least));
  const moveBy = (from: Stretch, part: number) =>
    zoom?.onStretch(moved(from, part * span, zoom.whole));

  function onWheel(event: WheelEvent): void {
    const scale = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE;
    const [x, y] = [event.deltaX * scale, event.deltaY * scale];
    if (zoom === undefined) return;
    if (event.ctrlKey || event.metaKey) {
      const turns = Math.max(-1, Math.min(1, y / WHEEL_TURN));
      zoomBy(2 ** turns, valueAt(inside(pixelOf(event).x)));
    } else if (zoom.shown !== null && (event.shiftKey || Math.abs(x) > Math.abs(y))) {
      moveBy(zoom.shown, (x || y) / (right - left));
    } else return;
    event.preventDefault();
  }

  function onPointerDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    box.current?.setPointerCapture(event.pointerId);
    const { x } = pixelOf(event);
    setDrag({ start: x, now: x, moving: event.shiftKey ? shown : null });
  }

  function onPointerMove(event: PointerEvent): void {
    const at = pixelOf(event);
    of.onPoint(at);
    if (drag === null) return;
    setDrag({ ...drag, now: at.x });
    if (drag.moving !== null && zoom?.shown) {
      moveBy(drag.moving, (drag.start - at.x) / (right - left));
    }
  }

  function onPointerUp(event: PointerEvent): void {
    if (drag === null) return;
    setDrag(null);
    if (Math.abs(drag.now - drag.start) < DRAG_MIN) of.onClick?.(pixelOf(event));
    else if (drag.moving === null && zoom !== undefined) {
      const [from, to] = inOrder(valueAt(inside(drag.start)), valueAt(inside(drag.now)));
      zoom.onStretch(within(from, to, zoom.whole, zoom.least));
    }
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const value = of.around ?? (shown[0] + shown[1]) / 2;
    const move = (part: number) => zoom?.shown && moveBy(zoom.shown, part);
    const keys: Record<string, () => void> = {
      ArrowLeft: () => (event.shiftKey ? move(-0.2) : of.step(-1)),
      ArrowRight: () => (event.shiftKey ? move(0.2) : of.step(1)),
      PageUp: () => of.step(-10),
      PageDown: () => of.step(10),
      Enter: () => of.onEnter?.(),
      "+": () => zoomBy(0.5, value),
      "=": () => zoomBy(0.5, value),
      "-": () => zoomBy(2, value),
      Escape: () => {
        of.onPoint(null);
        if (drag !== null) setDrag(null);
        else if (zoom?.shown) zoom.onStretch(null);
        else of.onEscape?.();
      },
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  const ends = inOrder(inside(drag?.start ?? 0), inside(drag?.now ?? 0));
  const isChoosing = drag !== null && drag.moving === null && zoom !== undefined;
  return {
    isDragged: drag !== null,
    isMoving: drag !== null && drag.moving !== null,
    /** Pixels of the stretch that is being chosen. */
    chosen: isChoosing && ends[1] - ends[0] >= DRAG_MIN ? ends : null,
    handlers: {
      onKeyDown,
      onBlur: () => of.onPoint(null),
      onWheel,
      onPointerDown,
      onPointerMove,
      onPointerUp,
      onPointerCancel: () => setDrag(null),
      onPointerLeave: () => of.onPoint(null),
      onDblClick: () => zoom?.onStretch(null),
    },
  };
}

function inOrder(a: number, b: number): readonly [number, number] {
  return a < b ? [a, b] : [b, a];
}
