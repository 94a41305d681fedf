// The main chart: the timeline of each run, what a bin holds shown under the pointer.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { duration, exactDuration, shortenMiddle } from "../../format";
import type { Axis } from "../../state/url";
import { inOrder, paintOf } from "../../theme/colors";
import type { Mode } from "../../theme/mode";
import { capacity, drawStrip, layoutOf, type StripInput } from "./strip";
import type { Summed } from "./summed";
import { deviceNames } from "./words";

/** Pixels of the bars: with many runs each gets less. */
export function plotHeight(runs: number): number {
  return runs > 4 ? 34 : 60;
}

/** Time that the width of a run's strip stands for. */
export function spanOf(run: Summed, runs: readonly Summed[], axis: Axis): number {
  const of = axis === "own" ? [run] : runs;
  return Math.max(1, ...of.map((each) => each.overview.wall_ns));
}

export function Timeline(props: { runs: readonly Summed[]; axis: Axis; mode: Mode }) {
  const { runs, axis, mode } = props;
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
            <StripCanvas
              run={run}
              span_ns={spanOf(run, runs, axis)}
              mode={mode}
              count={runs.length}
            />
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

function StripCanvas(props: { run: Summed; span_ns: number; mode: Mode; count: number }) {
  const { run, span_ns, mode, count } = props;
  const { overview } = run;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [bin, setBin] = useState<number | null>(null);
  const input: StripInput = { overview, mode, width, plot: plotHeight(count), span_ns };
  const layout = layoutOf(input);

  useLayoutEffect(() => {
    const box = canvas.current?.parentElement;
    if (!box) return;
    // A hidden tab has no width: what was drawn stays until there is one.
    const measure = () => box.clientWidth > 0 && setWidth(box.clientWidth);
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    measure();
    return () => observer.disconnect();
  }, []);

  const { plot } = input;
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const asked: StripInput = { overview, mode, width, plot, span_ns };
    element.width = Math.round(width * ratio);
    element.height = Math.round(layoutOf(asked).height * ratio);
    context.scale(ratio, ratio);
    drawStrip(context, asked);
  }, [overview, mode, width, plot, span_ns]);

  const { strip } = overview;
  const binWidth = (width * strip.bin_ns) / span_ns;
  function onKeyDown(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === "Escape") setBin(null);
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setBin((now) => Math.min(strip.bins - 1, Math.max(0, now === null ? 0 : now + by)));
  }

  return (
    <div
      class="strip-box"
      role="slider"
      aria-valuemin={1}
      aria-valuemax={strip.bins}
      aria-valuenow={(bin ?? 0) + 1}
      aria-valuetext={bin === null ? "no bin" : binText(run, bin)}
      aria-label={`Timeline of ${run.label}: arrow keys go through its bins`}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setBin(null)}
      onPointerMove={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        setBin(layout.binAt(event.clientX - box.left));
      }}
      onPointerLeave={() => setBin(null)}
    >
      <canvas ref={canvas} style={{ width: "100%", height: `${layout.height}px` }} />
      {bin !== null && (
        <>
          <i
            class="cursor"
            style={{
              left: `${bin * binWidth}px`,
              width: `${Math.max(1, binWidth)}px`,
              top: `${layout.top}px`,
              height: `${plot}px`,
            }}
          />
          <Tip run={run} bin={bin} x={(bin + 1) * binWidth} y={layout.bottom} width={width} />
        </>
      )}
    </div>
  );
}

/** A bin in words, for those who do not see it. */
function binText({ overview }: Summed, bin: number): string {
  const { strip } = overview;
  const from = strip.start_ns + bin * strip.bin_ns;
  return `at ${duration(from)}: busy ${duration(strip.device_busy_ns[bin] ?? 0)}`;
}

const TIP_WIDTH = 290;

function Tip(props: { run: Summed; bin: number; x: number; y: number; width: number }) {
  const { run, bin, x, y, width } = props;
  const { overview } = run;
  const { strip } = overview;
  const from = strip.start_ns + bin * strip.bin_ns;
  const busy = strip.device_busy_ns[bin] ?? 0;
  const parts = inOrder(strip.categories).flatMap((category) => {
    const ns = strip.busy_ns[strip.categories.indexOf(category)]?.[bin] ?? 0;
    return ns > 0 ? [{ category, ns }] : [];
  });
  const gaps = overview.gaps
    .map((gap, index) => ({ gap, number: index + 1 }))
    .filter(({ gap }) => gap.start_ns < from + strip.bin_ns && gap.start_ns + gap.dur_ns > from);
  const left = x + 12 + TIP_WIDTH > width ? x - TIP_WIDTH - 24 : x + 12;
  return (
    <div class="tip" role="tooltip" style={{ left: `${left}px`, top: `${y + 8}px` }}>
      <b>
        {duration(from)} to {duration(from + strip.bin_ns)}
      </b>
      <dl>
        <div>
          <dt>{overview.basis === "device" ? "busy" : "CPU self time"}</dt>
          <dd title={exactDuration(busy)}>
            {duration(busy)} of {duration(capacity(overview))}
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
  );
}
