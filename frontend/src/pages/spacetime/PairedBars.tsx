// The main chart: the paired bars of each run, with figures where one points.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import { count, duration, exactDuration, percent } from "../../format";
import { titleOf } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import { drawBars, layoutOf, PAIR_HEIGHT, type Pair, pairAt } from "./bars";
import { flops, flopsPerSecond, rangeText, type Spaced } from "./words";

export function PairedBars(props: { label: string; runs: readonly Spaced[]; mode: Mode }) {
  const { runs, mode } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<number | null>(null);
  const layout = useMemo(() => layoutOf({ runs, mode, width }), [runs, mode, width]);
  const draw = useCallback(
    (context: Context) => drawBars(context, { runs, mode, width }),
    [runs, mode, width],
  );
  const pair = pointed === null ? undefined : layout.pairs[pointed];
  const last = layout.pairs.length - 1;

  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const keys: Record<string, () => void> = {
      ArrowDown: () => setPointed(Math.min(last, (pointed ?? -1) + 1)),
      ArrowUp: () => setPointed(Math.max(0, (pointed ?? last + 1) - 1)),
      Escape: () => setPointed(null),
    };
    const act = keys[event.key];
    if (act === undefined || last < 0) return;
    event.preventDefault();
    act();
  }

  return (
    <div
      ref={box}
      class="chart bars paired"
      role="slider"
      aria-label={`${props.label} Arrow keys go through the axes.`}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, layout.pairs.length)}
      aria-valuenow={(pointed ?? 0) + 1}
      aria-valuetext={pair ? pairText(pair) : "no axis"}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(null)}
      onPointerMove={(event) => {
        const { top } = event.currentTarget.getBoundingClientRect();
        const found = pairAt(layout, event.clientY - top);
        setPointed(found < 0 ? null : found);
      }}
      onPointerLeave={() => setPointed(null)}
    >
      <Canvas width={width} height={layout.height} draw={draw} />
      {pair && <Tip pair={pair} width={width} />}
    </div>
  );
}

function pairText({ run, row }: Pair): string {
  return `${titleOf(row.axis)} in ${run.label}: ${duration(row.time_ns)}, ${flops(row.flops)}`;
}

const TIP_WIDTH = 320;

function Tip({ pair, width }: { pair: Pair; width: number }) {
  const { row, run } = pair;
  const rows: [string, string, string][] = [
    ["time", duration(row.time_ns), exactDuration(row.time_ns)],
    ["share of attention", `${percent(row.share)} %`, ""],
    ["FLOPs", flops(row.flops), `${count(row.flops)} FLOP`],
    ["achieved", flopsPerSecond(row.flops_per_s), ""],
    ["calls", count(row.calls), ""],
    ["sequence length", rangeText(row.q_range), ""],
    ["batch", rangeText(row.batch_range), row.in_batch],
  ];
  const left = Math.max(0, Math.min(pair.time.x + 40, width - TIP_WIDTH));
  return (
    <>
      <i
        class="cursor row-cursor"
        style={{ left: 0, right: 0, top: `${pair.y}px`, height: `${PAIR_HEIGHT}px` }}
      />
      <div
        class="tip"
        role="tooltip"
        style={{ left: `${left}px`, top: `${pair.y + PAIR_HEIGHT + 4}px`, width: `${TIP_WIDTH}px` }}
      >
        <b>{titleOf(row.axis)}</b>
        <span class="of">{run.label}</span>
        <dl>
          {rows.map(([name, value, exact]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
              <dd class="exact">{exact}</dd>
            </div>
          ))}
        </dl>
      </div>
    </>
  );
}
