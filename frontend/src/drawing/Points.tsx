// Points on a canvas, coloured and shaped by group, with zoom and pan along the x axis.

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Canvas, type Context, useWidth } from "./Canvas";
import { drawPlot, inView, layoutOf, nearest, type PointsInput } from "./plot";
import { moved, type Stretch, within, zoomed } from "./stretch";

export type { Line, Look, PlotAxis, PointColumns, PointsInput } from "./plot";

export interface PointsProps extends Omit<PointsInput, "width"> {
  label: string;
  /** What the pointer shows of a point. */
  tip: (index: number) => ComponentChildren;
  /** A point in words, for those who do not see it. */
  say: (index: number) => string;
  onPick?: (index: number | null) => void;
  /** Zoom and pan of the x axis, within `whole`; null shows all. Left out, the plot stays still. */
  zoom?: {
    whole: Stretch;
    shown: Stretch | null;
    /** The shortest stretch that is shown. */
    least: number;
    onStretch: (next: Stretch | null) => void;
  };
}

/** Pixels that the pointer may be off a point. */
const NEAR = 14;
/** Shorter drags are clicks. */
const DRAG_MIN = 4;
/** A full turn of a wheel doubles or halves what is shown. */
const WHEEL_TURN = 120;
const LINE = 16;
const TIP_WIDTH = 300;

interface Drag {
  start: number;
  now: number;
  /** What was shown when it began to be moved; null where a stretch is being chosen. */
  moving: Stretch | null;
}

export function Points(props: PointsProps) {
  const { points, looks, lines, bands, x, y, isJoined, marked, mode, height, zoom } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<number | null>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const input = useMemo((): PointsInput => {
    const drawn = { points, looks, x, y, mode, width, height, marked: marked ?? null };
    return { ...drawn, lines: lines ?? [], bands: bands ?? [], isJoined: isJoined ?? false };
  }, [points, looks, lines, bands, x, y, isJoined, marked, mode, width, height]);
  const layout = useMemo(() => layoutOf(input), [input]);
  const draw = useCallback((context: Context) => drawPlot(context, input), [input]);
  // Other points have come: what was pointed at may be another one now.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the points matter.
  useEffect(() => setPointed(null), [points]);

  const room = layout.right - layout.left;
  const shown: Stretch = zoom?.shown ?? zoom?.whole ?? [x.from, x.to];
  const at = (event: MouseEvent) => {
    const rect = box.current?.getBoundingClientRect();
    return { x: event.clientX - (rect?.left ?? 0), y: event.clientY - (rect?.top ?? 0) };
  };
  const inPlot = (px: number) => Math.min(layout.right, Math.max(layout.left, px));
  const zoomBy = (factor: number, value: number) =>
    zoom?.onStretch(zoomed(shown, factor, value, zoom.whole, zoom.least));
  const moveFrom = (from: Stretch, pixels: number) =>
    zoom?.onStretch(moved(from, (pixels / room) * (x.to - x.from), zoom.whole) ?? null);

  function onWheel(event: WheelEvent): void {
    if (zoom === undefined) return;
    const scale = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE;
    const [dx, dy] = [event.deltaX * scale, event.deltaY * scale];
    if (event.ctrlKey || event.metaKey) {
      const turns = Math.max(-1, Math.min(1, dy / WHEEL_TURN));
      zoomBy(2 ** turns, layout.xAt(inPlot(at(event).x)));
    } else if (zoom.shown !== null && (event.shiftKey || Math.abs(dx) > Math.abs(dy))) {
      moveFrom(zoom.shown, dx || dy);
    } else return;
    event.preventDefault();
  }

  function onPointerDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    box.current?.setPointerCapture(event.pointerId);
    const px = at(event).x;
    setDrag({ start: px, now: px, moving: event.shiftKey ? shown : null });
  }

  function onPointerMove(event: PointerEvent): void {
    const { x: px, y: py } = at(event);
    setPointed(nearest(input, layout, px, py, NEAR));
    if (drag === null) return;
    setDrag({ ...drag, now: px });
    if (drag.moving !== null && zoom?.shown) moveFrom(drag.moving, drag.start - px);
  }

  function onPointerUp(event: PointerEvent): void {
    if (drag === null) return;
    setDrag(null);
    const { x: px, y: py } = at(event);
    if (Math.abs(drag.now - drag.start) < DRAG_MIN) {
      const found = nearest(input, layout, px, py, NEAR);
      if (found !== null) props.onPick?.(found);
    } else if (drag.moving === null && zoom !== undefined) {
      const ends = [layout.xAt(inPlot(drag.start)), layout.xAt(inPlot(drag.now))];
      const [from, to] = ends.sort((a, b) => a - b) as [number, number];
      zoom.onStretch(within(from, to, zoom.whole, zoom.least));
    }
  }

  /** Shows the point that is `by` points further, and moves it into view. */
  function step(by: number): void {
    const [first, last] = inView(input);
    const next = pointed === null ? (by > 0 ? first : last - 1) : pointed + by;
    const index = Math.min(points.x.length - 1, Math.max(0, next));
    const value = points.x[index];
    if (value === undefined) return;
    setPointed(index);
    const over = Math.max(0, value - x.to) || Math.min(0, value - x.from);
    if (zoom?.shown && over !== 0) {
      const by = over + Math.sign(over) * 0.1 * (x.to - x.from);
      zoom.onStretch(moved(zoom.shown, by, zoom.whole));
    }
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const value = pointed === null ? (shown[0] + shown[1]) / 2 : (points.x[pointed] ?? shown[0]);
    const move = (part: number) => zoom?.shown && moveFrom(zoom.shown, part * room);
    const keys: Record<string, () => void> = {
      ArrowLeft: () => (event.shiftKey ? move(-0.2) : step(-1)),
      ArrowRight: () => (event.shiftKey ? move(0.2) : step(1)),
      PageUp: () => step(-10),
      PageDown: () => step(10),
      Enter: () => pointed !== null && props.onPick?.(pointed),
      "+": () => zoomBy(0.5, value),
      "=": () => zoomBy(0.5, value),
      "-": () => zoomBy(2, value),
      Escape: () => {
        setPointed(null);
        if (drag !== null) setDrag(null);
        else if (zoom?.shown) zoom.onStretch(null);
        else props.onPick?.(null);
      },
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  const ends = [inPlot(drag?.start ?? 0), inPlot(drag?.now ?? 0)];
  const [left, right] = ends.sort((a, b) => a - b) as [number, number];
  const isChoosing = drag !== null && drag.moving === null && zoom !== undefined;
  return (
    <div
      ref={box}
      class={`plot-box ${drag?.moving ? "moving" : ""} ${pointed !== null ? "pointing" : ""}`}
      role="slider"
      aria-label={props.label}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, points.x.length)}
      aria-valuenow={(pointed ?? marked ?? 0) + 1}
      aria-valuetext={pointed === null ? "no point" : props.say(pointed)}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(null)}
      onWheel={onWheel}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={() => setDrag(null)}
      onPointerLeave={() => setPointed(null)}
      onDblClick={() => zoom?.onStretch(null)}
    >
      <Canvas width={width} height={height} draw={draw} />
      {isChoosing && right - left >= DRAG_MIN && (
        <i
          class="cursor"
          style={{
            left: `${left}px`,
            width: `${right - left}px`,
            top: `${layout.top}px`,
            height: `${layout.bottom - layout.top}px`,
          }}
        />
      )}
      {pointed !== null && drag === null && points.x[pointed] !== undefined && (
        <Pointed
          px={layout.xOf(points.x[pointed])}
          py={layout.yOf(points.y[pointed] as number)}
          width={width}
        >
          {props.tip(pointed)}
        </Pointed>
      )}
    </div>
  );
}

function Pointed(props: { px: number; py: number; width: number; children: ComponentChildren }) {
  const { px, py, width } = props;
  const left = px + 14 + TIP_WIDTH > width ? px - TIP_WIDTH - 14 : px + 14;
  return (
    <>
      <i class="cursor point" style={{ left: `${px - 7}px`, top: `${py - 7}px` }} />
      <div
        class="tip"
        role="tooltip"
        style={{ left: `${Math.max(0, left)}px`, top: `${py + 12}px`, width: `${TIP_WIDTH}px` }}
      >
        {props.children}
      </div>
    </>
  );
}
