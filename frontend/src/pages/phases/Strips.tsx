// The main chart: the phases of each run over time, zoomed and moved by pointer, wheel and keys.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import type { PhaseRow, ServedStep, Stretch } from "../../api/phases";
import { stretch as between } from "../../drawing/axis";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import { type Pixel, useGestures } from "../../drawing/gestures";
import { moved } from "../../drawing/stretch";
import { count, duration, exactDuration, percent, shortenMiddle, threeDigits } from "../../format";
import type { Axis, Range } from "../../state/url";
import { phaseColor, titleOf } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import type { Strips as Finer } from "../overview/finer";
import { SHORTEST_NS } from "../overview/range";
import { deviceNames } from "../overview/words";
import { type BandInput, boxText, drawBand, layoutOf, servedText, stretchAt } from "./band";
import type { Phased } from "./phased";
import { NO_STRETCHES } from "./words";

/** What all strips of the page are drawn by. */
export interface View {
  axis: Axis;
  range: Range | null;
  finer: Finer;
  mode: Mode;
}

/** The longest of the runs: nothing is shown beyond its end. */
export function wholeOf(runs: readonly Phased[]): number {
  return Math.max(1, ...runs.map((run) => run.overview.wall_ns));
}

export function bandInput(
  run: Phased,
  runs: readonly Phased[],
  view: View,
  width: number,
): BandInput {
  const [from_ns, to_ns] = view.range ?? [0, wholeOf(view.axis === "own" ? [run] : runs)];
  const finer = view.finer.get(run.id) ?? null;
  return { run, finer, mode: view.mode, width, from_ns, span_ns: to_ns - from_ns };
}

interface Props {
  runs: readonly Phased[];
  view: View;
  onRange: (range: Range | null) => void;
  /** A phase was chosen, to filter by; null where nobody filters. */
  onPhase: OnPhase;
}

type OnPhase = ((phase: string | null) => void) | null;

export function Strips(props: Props) {
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
          <PhaseKeys run={run} mode={view.mode} onPhase={props.onPhase} />
          {run.overview.basis_sum_ns > 0 && <BandBox {...props} run={run} />}
          {run.phases.stretches.length === 0 && (
            <p class="soft">
              {run.phases.training
                ? "Training has no phases, nor has an evaluation by a loss."
                : NO_STRETCHES}
            </p>
          )}
        </div>
      ))}
    </div>
  );
}

/** What each phase takes, with its colour; a press filters by it. */
function PhaseKeys(props: { run: Phased; mode: Mode; onPhase: OnPhase }) {
  const { run, mode, onPhase } = props;
  if (run.phases.training) return null;
  return (
    <ul class="phase-keys" aria-label={`Phases of ${run.label}`}>
      {run.phases.phases.map((row) => (
        <li key={row.phase}>
          <button
            type="button"
            title={`Show ${titleOf(row.phase, "no phase")} alone, also on other pages`}
            disabled={onPhase === null}
            onClick={() => onPhase?.(row.phase)}
          >
            <i class="swatch" style={{ background: phaseColor(row.phase, mode) }} />
            <b>{titleOf(row.phase, "no phase")}</b> {keyText(row)}
          </button>
        </li>
      ))}
    </ul>
  );
}

function keyText(row: PhaseRow): string {
  const intensity = row.intensity === null ? "" : `, ${threeDigits(row.intensity)} FLOP per byte`;
  return `${percent(row.share)} % of time; attention ${percent(row.attention_share)} % of it${intensity}`;
}

/** Things so near are pointed at. */
const NEAR = 3;

/** What is pointed at, by its place in the list. */
type Pointed = { of: "stretch" | "served"; place: number } | null;

function BandBox(props: Props & { run: Phased }) {
  const { run, runs, view, onRange } = props;
  const { stretches, served } = run.phases;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<Pointed>(null);
  const input = useMemo(() => bandInput(run, runs, view, width), [run, runs, view, width]);
  const layout = useMemo(() => layoutOf(input), [input]);
  const draw = useCallback((context: Context) => drawBand(context, input), [input]);

  const whole: Range = [0, wholeOf(runs)];
  const start = run.overview.strip.start_ns;
  const shown: Range = [input.from_ns, input.from_ns + input.span_ns];
  const isServed = pointed?.of === "served";
  const span = pointed && (isServed ? served : stretches)[pointed.place];

  function pointAt({ x, y }: Pixel): Pointed {
    const [ns, near] = [layout.nsAt(x), (NEAR / width) * input.span_ns];
    const inServed = y >= layout.served && y < layout.lane;
    if (inServed) {
      const place = served.findLastIndex(
        (step) => step.start_ns - near <= ns && ns <= step.start_ns + step.dur_ns + near,
      );
      return place < 0 ? null : { of: "served", place };
    }
    const place = stretchAt(stretches, ns, near);
    return place < 0 ? null : { of: "stretch", place };
  }

  /** Points to the stretch that is `by` further, and moves it into view. */
  function step(by: number): void {
    const now = pointed?.of === "stretch" ? pointed.place + by : by > 0 ? 0 : -1;
    const place = Math.min(stretches.length - 1, Math.max(0, now));
    const next = stretches[place];
    if (next === undefined) return;
    setPointed({ of: "stretch", place });
    const offset = next.start_ns - start;
    if (view.range !== null && (offset > shown[1] || offset + next.dur_ns < shown[0])) {
      onRange(moved(view.range, offset - shown[0] - 0.1 * input.span_ns, whole));
    }
  }

  const { isDragged, isMoving, chosen, handlers } = useGestures({
    box,
    zoom: { whole, shown: view.range, least: SHORTEST_NS, onStretch: onRange },
    edges: [0, width],
    valueAt: (x) => layout.nsAt(x) - start,
    shown,
    around: span ? span.start_ns + span.dur_ns / 2 - start : null,
    onPoint: (at) => setPointed(at && pointAt(at)),
    onClick: (at) => {
      const found = at.y < layout.lane ? pointAt(at) : null;
      const picked = found && (found.of === "served" ? served : stretches)[found.place];
      if (picked) props.onPhase?.(picked.phase);
    },
    step,
    onEnter: () => span && props.onPhase?.(span.phase),
  });
  const ordinal = pointed?.of === "stretch" ? pointed.place + 1 : 1;
  return (
    <div
      ref={box}
      class={`strip-box band-box ${isMoving ? "moving" : ""} ${span ? "pointing" : ""}`}
      role="slider"
      aria-valuemin={1}
      aria-valuemax={Math.max(1, stretches.length)}
      aria-valuenow={ordinal}
      aria-valuetext={span ? spanText(span) : "no stretch"}
      aria-label={`Phases of ${run.label}: arrow keys go through the stretches, Enter filters by a phase, with Shift arrows move, + and − zoom, Escape shows all of it`}
      tabIndex={0}
      {...handlers}
    >
      <Canvas width={width} height={layout.height} draw={draw} />
      {chosen && (
        <i
          class="cursor selection"
          style={{
            left: `${chosen[0]}px`,
            width: `${chosen[1] - chosen[0]}px`,
            top: `${layout.band}px`,
            height: `${layout.bottom - layout.band}px`,
          }}
        >
          {duration(((chosen[1] - chosen[0]) / width) * input.span_ns)}
        </i>
      )}
      {span && !isDragged && (
        <SpanShown
          run={run}
          span={span}
          each={isServed ? 1 : run.phases.each}
          top={isServed ? layout.served : layout.band}
          below={layout.bottom}
          left={layout.xOf(span.start_ns)}
          right={layout.xOf(span.start_ns + span.dur_ns)}
          width={width}
        />
      )}
    </div>
  );
}

type Span = Stretch | ServedStep;

function isStretch(span: Span): span is Stretch {
  return "rounds" in span;
}

/** A stretch in words, for those who do not see it. */
function spanText(span: Span): string {
  const name = isStretch(span) ? boxText(span) : servedText(span);
  return `${name}, ${between(span.start_ns, span.start_ns + span.dur_ns)}`;
}

const TIP_WIDTH = 320;

function SpanShown(props: {
  run: Phased;
  span: Span;
  each: number;
  top: number;
  below: number;
  left: number;
  right: number;
  width: number;
}) {
  const { run, span, width } = props;
  const [from, to] = [Math.max(0, props.left), Math.min(width, props.right)];
  const row = run.phases.phases.find((each) => each.phase === span.phase);
  const left = to + 12 + TIP_WIDTH > width ? Math.min(from, width) - TIP_WIDTH - 12 : to + 12;
  const lines: [string, string, string][] = [
    ["takes", duration(span.dur_ns), exactDuration(span.dur_ns)],
    ...(isStretch(span)
      ? ([["rounds", count(span.rounds), ""]] as [string, string, string][])
      : ([
          ["prefills", span.prefills === null ? "–" : count(span.prefills), ""],
          ["decodes", span.decodes === null ? "–" : count(span.decodes), ""],
        ] as [string, string, string][])),
  ];
  return (
    <>
      <i
        class="cursor"
        style={{
          left: `${from}px`,
          width: `${Math.max(1, to - from)}px`,
          top: `${props.top}px`,
          height: `${isStretch(span) ? 26 : 16}px`,
        }}
      />
      <div
        class="tip"
        role="tooltip"
        style={{ left: `${Math.max(0, left)}px`, top: `${props.below + 8}px` }}
      >
        <b>{isStretch(span) ? titleOf(span.phase, "no phase") : servedText(span)}</b>
        <span class="of">{isStretch(span) ? span.component : shortenMiddle(span.name, 80)}</span>
        <span class="of">{between(span.start_ns, span.start_ns + span.dur_ns)}</span>
        <dl>
          {lines.map(([name, value, exact]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd title={exact}>{value}</dd>
            </div>
          ))}
          {row && row.phase !== null && (
            <>
              <div>
                <dt>attention, of all {titleOf(row.phase)}</dt>
                <dd>{percent(row.attention_share)} %</dd>
              </div>
              {row.intensity !== null && (
                <div>
                  <dt>intensity, of all {titleOf(row.phase)}</dt>
                  <dd>{threeDigits(row.intensity)} FLOP per byte</dd>
                </div>
              )}
            </>
          )}
        </dl>
        {isStretch(span) && span.reason && <p>{span.reason}</p>}
        {isStretch(span) && props.each > 1 && (
          <p>A box stands for {threeDigits(props.each)} stretches on average.</p>
        )}
      </div>
    </>
  );
}
