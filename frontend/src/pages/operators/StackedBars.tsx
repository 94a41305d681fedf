// The main chart: a stacked bar a run. A part is chosen by a click, or by arrow keys and Enter.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import type { Comparison } from "../../api/types";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import { duration, exactDuration, factor, percent } from "../../format";
import type { Scale } from "../../state/url";
import { paintOf } from "../../theme/colors";
import type { Mode } from "../../theme/mode";
import { barAt, barsHeight, drawBars, layoutBars, type Part, partAt } from "./bars";

/** A part that is pointed at, and the pixel where its figures are shown. */
interface Pointed {
  part: Part;
  x: number;
  y: number;
}

export function StackedBars(props: {
  label: string;
  comparison: Comparison;
  scale: Scale;
  mode: Mode;
  /** A category of the run at this place was chosen. */
  onPick: (index: number, category: string) => void;
}) {
  const { comparison, scale, mode } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const bars = useMemo(
    () => layoutBars({ comparison, scale, mode, width }),
    [comparison, scale, mode, width],
  );
  const draw = useCallback(
    (context: Context) => drawBars(context, { comparison, scale, mode, width }),
    [comparison, scale, mode, width],
  );
  // What was pointed at may not be there any more.
  const shown = pointed && bars.parts.includes(pointed.part) ? pointed : null;

  function pointTo(part: Part | undefined): void {
    if (part === undefined) return;
    const { y, height } = barAt(part.index);
    setPointed({ part, x: part.x + part.width / 2, y: y + height });
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { parts } = bars;
    const at = shown ? parts.indexOf(shown.part) : -1;
    const ofRun = (by: number) => {
      const index = (shown?.part.index ?? -by) + by;
      const { category } = shown?.part.bar ?? {};
      const inRun = parts.filter((part) => part.index === index);
      pointTo(inRun.find((part) => part.bar.category === category) ?? inRun[0]);
    };
    const keys: Record<string, () => void> = {
      ArrowRight: () => pointTo(parts[at + 1]),
      ArrowLeft: () => pointTo(parts[at - 1]),
      ArrowDown: () => ofRun(1),
      ArrowUp: () => ofRun(-1),
      Escape: () => setPointed(null),
      Enter: () => shown && props.onPick(shown.part.index, shown.part.bar.category),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  return (
    <div
      ref={box}
      class={`chart bars ${shown ? "pointing" : ""}`}
      role="slider"
      aria-label={`${props.label} Arrow keys go through the parts of the bars, Enter opens one.`}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, bars.parts.length)}
      aria-valuenow={shown ? bars.parts.indexOf(shown.part) + 1 : 1}
      aria-valuetext={shown ? partText(shown.part) : "no part"}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(null)}
      onPointerMove={(event) => {
        const { left, top } = event.currentTarget.getBoundingClientRect();
        const [x, y] = [event.clientX - left, event.clientY - top];
        const part = partAt(bars, x, y);
        setPointed(part && { part, x: x + 14, y: y + 14 });
      }}
      onPointerLeave={() => setPointed(null)}
      onClick={() => shown && props.onPick(shown.part.index, shown.part.bar.category)}
    >
      <Canvas width={width} height={barsHeight(comparison.runs.length)} draw={draw} />
      {shown && (
        <>
          <Cursor part={shown.part} />
          <Tip {...shown} width={width} />
        </>
      )}
    </div>
  );
}

function partText({ run, bar }: Part): string {
  return `${bar.category} in ${run.run}: ${duration(bar.sum_ns)}, ${percent(bar.share)} %`;
}

function Cursor({ part }: { part: Part }) {
  const { y, height } = barAt(part.index);
  const width = Math.max(1, part.width);
  return (
    <i
      class="cursor"
      style={{ left: `${part.x}px`, width: `${width}px`, top: `${y}px`, height: `${height}px` }}
    />
  );
}

const TIP_WIDTH = 260;

function Tip(props: Pointed & { width: number }) {
  const { part, width, x, y } = props;
  const { run, bar } = part;
  const rows: [string, string, string][] = [
    ["sum", duration(bar.sum_ns), exactDuration(bar.sum_ns)],
    ["share of the run", `${percent(bar.share)} %`, ""],
  ];
  if (bar.unlinked_ns > 0) {
    rows.push(["unlinked", duration(bar.unlinked_ns), exactDuration(bar.unlinked_ns)]);
  }
  if (part.index > 0 && bar.speedup !== null && bar.delta_ns !== null) {
    rows.push([
      "against the base",
      `${factor(bar.speedup)} as fast`,
      `${bar.delta_ns > 0 ? "+" : ""}${exactDuration(bar.delta_ns)}`,
    ]);
  }
  const left = Math.max(0, Math.min(x, width - TIP_WIDTH));
  return (
    <div
      class="tip"
      role="tooltip"
      style={{ left: `${left}px`, top: `${y}px`, width: `${TIP_WIDTH}px` }}
    >
      <b>
        <i class="swatch" style={{ background: paintOf(bar.category).fill }} />
        {bar.category}
      </b>
      <span class="of">{run.run}</span>
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
  );
}
