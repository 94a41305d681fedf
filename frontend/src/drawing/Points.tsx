// Points on a canvas, coloured and shaped by group, with zoom and pan along the x axis.

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Canvas, type Context, useWidth } from "./Canvas";
import { useGestures, type Zoom } from "./gestures";
import { drawPlot, inView, layoutOf, nearest, type PointsInput } from "./plot";
import { moved } from "./stretch";

export type { Line, Look, PlotAxis, PointColumns, PointsInput } from "./plot";

export interface PointsProps extends Omit<PointsInput, "width"> {
  label: string;
  /** What the pointer shows of a point. */
  tip: (index: number) => ComponentChildren;
  /** A point in words, for those who do not see it. */
  say: (index: number) => string;
  onPick?: (index: number | null) => void;
  /** Zoom and pan of the x axis. Left out, the plot stays still. */
  zoom?: Zoom;
}

/** Pixels that the pointer may be off a point. */
const NEAR = 14;
const TIP_WIDTH = 300;

export function Points(props: PointsProps) {
  const { points, looks, lines, bands, x, y, isJoined, marked, mode, height, zoom } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<number | null>(null);
  const input = useMemo((): PointsInput => {
    const drawn = { points, looks, x, y, mode, width, height, marked: marked ?? null };
    return { ...drawn, lines: lines ?? [], bands: bands ?? [], isJoined: isJoined ?? false };
  }, [points, looks, lines, bands, x, y, isJoined, marked, mode, width, height]);
  const layout = useMemo(() => layoutOf(input), [input]);
  const draw = useCallback((context: Context) => drawPlot(context, input), [input]);
  // Other points have come: what was pointed at may be another one now.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the points matter.
  useEffect(() => setPointed(null), [points]);

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

  const pointedX = pointed === null ? null : (points.x[pointed] ?? null);
  const { isDragged, isMoving, chosen, handlers } = useGestures({
    box,
    zoom,
    edges: [layout.left, layout.right],
    valueAt: layout.xAt,
    shown: zoom?.shown ?? zoom?.whole ?? [x.from, x.to],
    around: pointedX,
    onPoint: (at) => setPointed(at && nearest(input, layout, at.x, at.y, NEAR)),
    onClick: (at) => {
      const found = nearest(input, layout, at.x, at.y, NEAR);
      if (found !== null) props.onPick?.(found);
    },
    step,
    onEnter: () => pointed !== null && props.onPick?.(pointed),
    onEscape: () => props.onPick?.(null),
  });

  return (
    <div
      ref={box}
      class={`plot-box ${isMoving ? "moving" : ""} ${pointed !== null ? "pointing" : ""}`}
      role="slider"
      aria-label={props.label}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, points.x.length)}
      aria-valuenow={(pointed ?? marked ?? 0) + 1}
      aria-valuetext={pointed === null ? "no point" : props.say(pointed)}
      tabIndex={0}
      {...handlers}
    >
      <Canvas width={width} height={height} draw={draw} />
      {chosen && (
        <i
          class="cursor"
          style={{
            left: `${chosen[0]}px`,
            width: `${chosen[1] - chosen[0]}px`,
            top: `${layout.top}px`,
            height: `${layout.bottom - layout.top}px`,
          }}
        />
      )}
      {pointed !== null && !isDragged && points.x[pointed] !== undefined && (
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
