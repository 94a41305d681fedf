// The chart of speedups by shape. A mark is pointed at by the pointer, or gone to with arrow keys.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import type { ShapeSpeedup } from "../../api/speedup";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import { count, duration, exactDuration } from "../../format";
import type { Mode } from "../../theme/mode";
import { TipLines } from "./RowChart";
import { bubbleAt, drawShapes, layoutShapes, SHAPES_HEIGHT } from "./shapes";
import { speedupText } from "./words";

const TIP_WIDTH = 300;

export function ShapeChart(props: { label: string; shapes: readonly ShapeSpeedup[]; mode: Mode }) {
  const { shapes, mode } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<number | null>(null);
  const bubbles = useMemo(() => layoutShapes({ shapes, mode, width }), [shapes, mode, width]);
  const draw = useCallback(
    (context: Context) => drawShapes(context, { shapes, mode, width }),
    [shapes, mode, width],
  );
  const shown = pointed === null ? null : (bubbles[pointed] ?? null);

  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const go = (at: number) => setPointed(Math.min(bubbles.length - 1, Math.max(0, at)));
    const keys: Record<string, () => void> = {
      ArrowRight: () => go((pointed ?? -1) + 1),
      ArrowLeft: () => go((pointed ?? bubbles.length) - 1),
      Home: () => go(0),
      End: () => go(bubbles.length - 1),
      Escape: () => setPointed(null),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  return (
    <div
      ref={box}
      class="chart rows"
      role="slider"
      aria-label={`${props.label} Arrow keys go through the shapes, by time.`}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, bubbles.length)}
      aria-valuenow={(pointed ?? 0) + 1}
      aria-valuetext={
        shown ? `${shown.shape.name}: ${speedupText(shown.shape.median_speedup)}` : "no shape"
      }
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(null)}
      onPointerMove={(event) => {
        const { left, top } = event.currentTarget.getBoundingClientRect();
        const found = bubbleAt(bubbles, event.clientX - left, event.clientY - top);
        setPointed(found && bubbles.indexOf(found));
      }}
      onPointerLeave={() => setPointed(null)}
    >
      <Canvas width={width} height={SHAPES_HEIGHT} draw={draw} />
      {shown && (
        <>
          <i
            class="bubble-cursor"
            style={{
              left: `${shown.x - shown.radius - 2}px`,
              top: `${shown.y - shown.radius - 2}px`,
              width: `${2 * shown.radius + 4}px`,
              height: `${2 * shown.radius + 4}px`,
            }}
          />
          <div
            class="tip"
            role="tooltip"
            style={{
              left: `${Math.max(0, Math.min(shown.x + 14, width - TIP_WIDTH))}px`,
              top: `${shown.y + shown.radius + 8}px`,
              width: `${TIP_WIDTH}px`,
            }}
          >
            <ShapeTip shape={shown.shape} />
          </div>
        </>
      )}
    </div>
  );
}

function ShapeTip({ shape }: { shape: ShapeSpeedup }) {
  const words = [shape.pass, shape.kind, shape.axis, shape.dtype].filter(Boolean).join(", ");
  const range =
    shape.low === null || shape.high === null
      ? "–"
      : `${speedupText(shape.low)} to ${speedupText(shape.high)}`;
  return (
    <>
      <b>{shape.name}</b>
      <span class="of">{words}</span>
      <TipLines
        lines={[
          ["calls", count(shape.calls), ""],
          [
            `baseline, ${shape.baseline_implementation ?? "not known"}`,
            duration(shape.baseline_ns),
            exactDuration(shape.baseline_ns),
          ],
          [
            `fused, ${shape.fused_implementation ?? "not known"}`,
            duration(shape.fused_ns),
            exactDuration(shape.fused_ns),
          ],
          ["speedup, median call", speedupText(shape.median_speedup), ""],
          ["lowest to highest", range, ""],
          ["of the sums", speedupText(shape.speedup), ""],
        ]}
      />
    </>
  );
}
