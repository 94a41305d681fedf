// A chart of rows, one of which is pointed at, by the pointer or with the arrow keys.

import type { ComponentChildren } from "preact";
import { useCallback, useRef, useState } from "preact/hooks";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";

const TIP_WIDTH = 290;

export function RowChart(props: {
  label: string;
  rows: number;
  /** Upper edge of the first row, and the height of each. */
  top: number;
  step: number;
  height: number;
  draw: (context: Context, width: number) => void;
  tip: (row: number) => ComponentChildren;
  /** A row in words. */
  say: (row: number) => string;
}) {
  const { rows, top, step, height } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<{ row: number; x: number } | null>(null);
  const drawAll = props.draw;
  const draw = useCallback((context: Context) => drawAll(context, width), [drawAll, width]);
  const shown = pointed && pointed.row < rows ? pointed : null;

  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const go = (row: number) =>
      setPointed({ row: Math.min(rows - 1, Math.max(0, row)), x: width / 2 });
    const keys: Record<string, () => void> = {
      ArrowDown: () => go((shown?.row ?? -1) + 1),
      ArrowUp: () => go((shown?.row ?? rows) - 1),
      Home: () => go(0),
      End: () => go(rows - 1),
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
      aria-label={`${props.label} Arrow keys go through the rows.`}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, rows)}
      aria-valuenow={(shown?.row ?? 0) + 1}
      aria-valuetext={shown ? props.say(shown.row) : "no row"}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(null)}
      onPointerMove={(event) => {
        const { left, top: edge } = event.currentTarget.getBoundingClientRect();
        const row = Math.floor((event.clientY - edge - top) / step);
        setPointed(row >= 0 && row < rows ? { row, x: event.clientX - left + 14 } : null);
      }}
      onPointerLeave={() => setPointed(null)}
    >
      <Canvas width={width} height={height} draw={draw} />
      {shown && (
        <>
          <i
            class="row-cursor"
            style={{ top: `${top + shown.row * step}px`, height: `${step}px` }}
          />
          <div
            class="tip"
            role="tooltip"
            style={{
              left: `${Math.max(0, Math.min(shown.x, width - TIP_WIDTH))}px`,
              top: `${top + (shown.row + 1) * step + 4}px`,
              width: `${TIP_WIDTH}px`,
            }}
          >
            {props.tip(shown.row)}
          </div>
        </>
      )}
    </div>
  );
}

/** Lines of a tip: what, how much, and exactly. */
export function TipLines(props: { lines: readonly (readonly [string, string, string])[] }) {
  return (
    <dl>
      {props.lines.map(([name, value, exact]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          <dd class="exact">{exact}</dd>
        </div>
      ))}
    </dl>
  );
}
