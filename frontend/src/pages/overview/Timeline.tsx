// The main chart: the timeline of each run, zoomed and moved by pointer, wheel and keys.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { stretch } from "../../drawing/axis";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import { useGestures } from "../../drawing/gestures";
import { moved } from "../../drawing/stretch";
import { duration, exactDuration, shortenMiddle } from "../../format";
import type { Axis, Range } from "../../state/url";
import { paintOf } from "../../theme/colors";
import type { Mode } from "../../theme/mode";
import type { Strips } from "./finer";
import { SHORTEST_NS } from "./range";
import { type Bin, capacity, drawStrip, layoutOf, rowsOf, type StripInput } from "./strip";
import type { Summed } from "./summed";
import { deviceNames } from "./words";

/** What all strips of the page are drawn by. */
export interface View {
  axis: Axis;
  /** Null shows all of it. */
  range: Range | null;
  finer: Strips;
  mode: Mode;
}

/** The longest of the runs: nothing is shown beyond its end. */
export function wholeOf(runs: readonly Summed[]): number {
  return Math.max(1, ...runs.map((run) => run.overview.wall_ns));
}

/** How the strip of a run is drawn. */
export function stripInput(
  run: Summed,
  runs: readonly Summed[],
  view: View,
  width: number,
): StripInput {
  const { overview } = run;
  const [from_ns, to_ns] = view.range ?? [0, wholeOf(view.axis === "own" ? [run] : runs)];
  return {
    overview,
    finer: view.finer.get(run.id) ?? null,
    mode: view.mode,
    width,
    // With many runs each gets less.
    plot: runs.length > 4 ? 34 : 60,
    from_ns,
    span_ns: to_ns - from_ns,
  };
}

export function Timeline(props: {
  runs: readonly Summed[];
  view: View;
  onRange: (range: Range | null) => void;
}) {
  const { runs, view } = props;
  return (
    <div class="timeline">
      {runs.map((run, index) => (
        <div key={run.id} class="strip">
          <p title={run.id}>
            <b>{shortenMiddle(run.label, 60)}</b>
            {index === 0 && runs.length > 1 && <em>base</em>}
            <span class="soft">{deviceNames(run.overview)}</span>
          </p>
          {run.overview.basis_sum_ns > 0 ? (
            <StripBox run={run} runs={runs} view={view} onRange={props.onRange} />
          ) : (
            <span class="soft">
              There is no time to show: nothing was recorded, or all of it is filtered out.
            </span>
          )}
        </div>
      ))}
    </div>
  );
}

function StripBox(props: {
  run: Summed;
  runs: readonly Summed[];
  view: View;
  onRange: (range: Range | null) => void;
}) {
  const { run, runs, view, onRange } = props;
  const { strip } = run.overview;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  /** The time of the trace whose bin is shown. */
  const [at, setAt] = useState<number | null>(null);
  const input = useMemo(() => stripInput(run, runs, view, width), [run, runs, view, width]);
  const layout = useMemo(() => layoutOf(input), [input]);
  const draw = useCallback((context: Context) => drawStrip(context, input), [input]);
  const whole: Range = [0, wholeOf(runs)];

  /** Shows the bin that lies `by` bins from the one shown, and moves it into view. */
  function step(by: number): void {
    const now = at === null ? null : layout.binAt(at);
    const first = layout.nsAt(0) + 1;
    const next = now ? (now.from_ns + now.to_ns) / 2 + by * (now.to_ns - now.from_ns) : first;
    const last = strip.start_ns + run.overview.wall_ns - 1;
    const time = Math.min(last, Math.max(strip.start_ns, next));
    setAt(time);
    const over = Math.max(0, time - layout.nsAt(width)) || Math.min(0, time - layout.nsAt(0));
    if (view.range !== null && over !== 0) {
      onRange(moved(view.range, over + Math.sign(over) * 0.1 * input.span_ns, whole));
    }
  }

  const { isDragged, isMoving, chosen, handlers } = useGestures({
    box,
    zoom: { whole, shown: view.range, least: SHORTEST_NS, onStretch: onRange },
    edges: [0, width],
    // Times of a range are counted from the start of the strip.
    valueAt: (x) => layout.nsAt(x) - strip.start_ns,
    shown: [input.from_ns, input.from_ns + input.span_ns],
    around: at === null ? null : at - strip.start_ns,
    onPoint: (pixel) => setAt(pixel && layout.nsAt(pixel.x)),
    step,
  });
  const bin = at === null || isDragged ? null : layout.binAt(at);

  const { top, bottom, height } = layout;
  return (
    <div
      ref={box}
      class={`strip-box ${isMoving ? "moving" : ""}`}
      role="slider"
      aria-valuemin={1}
      aria-valuemax={bin?.strip.bins ?? strip.bins}
      aria-valuenow={(bin?.index ?? 0) + 1}
      aria-valuetext={bin === null ? "no bin" : binText(bin)}
      aria-label={`Timeline of ${run.label}: arrow keys go through its bins, with Shift they move it, + and − zoom, Escape shows all of it`}
      tabIndex={0}
      {...handlers}
    >
      <Canvas width={width} height={height} draw={draw} />
      {chosen && (
        <i
          class="cursor selection"
          style={{
            left: `${chosen[0]}px`,
            width: `${chosen[1] - chosen[0]}px`,
            top: `${top}px`,
            height: `${bottom - top}px`,
          }}
        >
          {duration(((chosen[1] - chosen[0]) / width) * input.span_ns)}
        </i>
      )}
      {bin !== null && <BinShown run={run} bin={bin} layout={layout} width={width} />}
    </div>
  );
}

/** A bin in words, for those who do not see it. */
function binText({ strip, index, from_ns, to_ns }: Bin): string {
  const busy = strip.device_busy_ns[index] ?? 0;
  return `${stretch(from_ns, to_ns)}: busy ${duration(busy)}`;
}

const TIP_WIDTH = 290;

function BinShown(props: {
  run: Summed;
  bin: Bin;
  layout: ReturnType<typeof layoutOf>;
  width: number;
}) {
  const { run, bin, layout, width } = props;
  const { overview } = run;
  const { strip, index, from_ns, to_ns } = bin;
  const from = Math.max(0, layout.xOf(from_ns));
  const to = Math.min(width, layout.xOf(to_ns));
  const busy = strip.device_busy_ns[index] ?? 0;
  const parts = rowsOf(strip).flatMap(({ category, busy_ns }) => {
    const ns = busy_ns[index] ?? 0;
    return ns > 0 ? [{ category, ns }] : [];
  });
  const gaps = overview.gaps
    .map((gap, at) => ({ gap, number: at + 1 }))
    .filter(({ gap }) => gap.start_ns < to_ns && gap.start_ns + gap.dur_ns > from_ns);
  const middle = (from_ns + to_ns) / 2;
  const step = overview.steps.find(
    ({ start_ns, dur_ns }) => start_ns <= middle && middle < start_ns + dur_ns,
  );
  const left = to + 12 + TIP_WIDTH > width ? from - TIP_WIDTH - 12 : to + 12;
  return (
    <>
      <i
        class="cursor"
        style={{
          left: `${from}px`,
          width: `${Math.max(1, to - from)}px`,
          top: `${layout.top}px`,
          height: `${layout.bottom - layout.top}px`,
        }}
      />
      <div
        class="tip"
        role="tooltip"
        style={{ left: `${Math.max(0, left)}px`, top: `${layout.bottom + 8}px` }}
      >
        <b>{stretch(from_ns, to_ns)}</b>
        {step && (
          <span class="of">
            step {step.index}: {step.name}
          </span>
        )}
        <dl>
          <div>
            <dt>{overview.basis === "device" ? "busy" : "CPU self time"}</dt>
            <dd title={exactDuration(busy)}>
              {duration(busy)} of {duration(capacity(overview, strip))}
            </dd>
          </div>
          {parts.map(({ category, ns }) => (
            <div key={category}>
              <dt>
                <i class="swatch" style={{ background: paintOf(category).fill }} />
                {category}
              </dt>
              <dd>{duration(ns)}</dd>
            </div>
          ))}
        </dl>
        {gaps.slice(0, 2).map(({ gap, number }) => (
          <p key={number}>
            Gap {number}, {duration(gap.dur_ns)}: {gap.reason}
          </p>
        ))}
      </div>
    </>
  );
}
