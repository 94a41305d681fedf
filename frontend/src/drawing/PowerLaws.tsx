// A chart of power laws, with figures where one points or where the arrow keys go.

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Canvas, type Context, useWidth } from "./Canvas";
import { drawLaws, type LawsInput, layoutOf, nearest, type Placed, placed } from "./powerlaws";

const TIP_WIDTH = 280;

export function PowerLaws(
  props: Omit<LawsInput, "width"> & {
    label: string;
    /** What the pointer shows of a point. */
    tip: (point: Placed) => ComponentChildren;
    /** A point in words, for those who do not see it. */
    say: (point: Placed) => string;
  },
) {
  const { series, meetings, x, y, mode, height } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<number | null>(null);
  const input = useMemo(
    (): LawsInput => ({ series, meetings, x, y, mode, width, height }),
    [series, meetings, x, y, mode, width, height],
  );
  const all = useMemo(() => placed(series), [series]);
  const layout = useMemo(() => layoutOf(input), [input]);
  const draw = useCallback((context: Context) => drawLaws(context, input), [input]);
  // Other points have come: what was pointed at may be another one now.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the points matter.
  useEffect(() => setPointed(null), [all]);
  const found = pointed === null ? undefined : all[pointed];

  function onKeyDown(event: KeyboardEvent): void {
    const last = all.length - 1;
    const keys: Record<string, () => void> = {
      ArrowRight: () => setPointed(Math.min(last, (pointed ?? -1) + 1)),
      ArrowLeft: () => setPointed(Math.max(0, (pointed ?? last + 1) - 1)),
      Escape: () => setPointed(null),
    };
    const act = keys[event.key];
    if (act === undefined || last < 0) return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  }

  const px = found ? layout.xOf(found.point.x) : 0;
  const py = found ? layout.yOf(found.point.y) : 0;
  const left = px + 14 + TIP_WIDTH > width ? px - TIP_WIDTH - 14 : px + 14;
  return (
    <div
      ref={box}
      class="plot-box laws"
      role="slider"
      aria-label={props.label}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, all.length)}
      aria-valuenow={(pointed ?? 0) + 1}
      aria-valuetext={found ? props.say(found) : "no point"}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(null)}
      onPointerMove={(event) => {
        const rect = event.currentTarget.getBoundingClientRect();
        setPointed(nearest(all, layout, event.clientX - rect.left, event.clientY - rect.top));
      }}
      onPointerLeave={() => setPointed(null)}
    >
      <Canvas width={width} height={height} draw={draw} />
      {found && (
        <>
          <i class="cursor point" style={{ left: `${px - 7}px`, top: `${py - 7}px` }} />
          <div
            class="tip"
            role="tooltip"
            style={{
              left: `${Math.max(0, left)}px`,
              top: `${py + 12}px`,
              width: `${TIP_WIDTH}px`,
            }}
          >
            {props.tip(found)}
          </div>
        </>
      )}
    </div>
  );
}
