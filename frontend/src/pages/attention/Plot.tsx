// The calls of one run: its plot, and the distribution of lengths beside it.

import { useEffect, useMemo } from "preact/hooks";
import type { Client, Selection } from "../../api/client";
import { MarkIcon } from "../../drawing/Mark";
import { Points } from "../../drawing/Points";
import type { PlotAxis } from "../../drawing/plot";
import type { Stretch } from "../../drawing/stretch";
import { count, duration, exactDuration } from "../../format";
import { titleOf } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import { type Drawn, placeOfCall, placesOf, wholeOf } from "./drawn";
import { useDrawn } from "./finer";
import { Histogram } from "./Histogram";
import { lookOf, nameOf } from "./looks";
import { PLOT_HEIGHT, partsOf } from "./plot";
import type { Sequenced } from "./sequences";
import { stretchOf, type View } from "./view";

/** Fewer calls, and neighbours could not be told from far ones. */
const LEAST = { calls: 7, time: 1000 };

export interface PlotProps {
  run: Sequenced;
  client: Client;
  selection: Selection;
  y: PlotAxis;
  view: View;
  mode: Mode;
  /** Index of the marked call, if it is of this run. */
  marked: number | null;
  onStretch: (next: Stretch | null) => void;
  onMark: (index: number | null) => void;
  onLevels: () => void;
  /** Tells what is drawn, for pictures and CSV. */
  onDrawn: (id: string, drawn: Drawn, isCoarse: boolean) => void;
}

export function Plot(props: PlotProps) {
  const { run, client, selection, y, view, mode, marked } = props;
  const { sequence } = run;
  const shown = stretchOf(view.cut, sequence.period);
  const places = shown && placesOf(sequence.series, view.along, shown);
  const { drawn, isCoarse, error } = useDrawn(client, run, selection, places);
  const { onDrawn } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is drawn matters.
  useEffect(() => onDrawn(run.id, drawn, isCoarse), [run.id, drawn, isCoarse]);
  const parts = useMemo(() => partsOf(run, drawn, y, view, mode), [run, drawn, y, view, mode]);
  const mark = placeOfCall(drawn, marked);
  return (
    <div class="sequence">
      {error && (
        <p class="soft" role="status">
          More detail could not be read: {error.message}
        </p>
      )}
      <Points
        {...parts}
        marked={mark}
        height={PLOT_HEIGHT}
        label={`Sequence lengths of ${run.label}: arrow keys go through the calls, Enter marks one, + and − zoom, with Shift arrows move, Escape shows all`}
        say={(at) =>
          `call ${drawn.index[at]}: ${drawn.q_len[at]} queries, ${drawn.kv_len[at]} keys`
        }
        tip={(at) => <Tip drawn={drawn} at={at} basis={sequence.basis} mode={mode} />}
        onPick={(at) => props.onMark(at === null ? null : (drawn.index[at] ?? null))}
        zoom={{
          whole: wholeOf(sequence, view.along),
          shown,
          least: LEAST[view.along],
          onStretch: props.onStretch,
        }}
      />
      <Histogram
        levels={sequence.levels}
        weight={view.weight}
        y={y}
        mode={mode}
        height={PLOT_HEIGHT}
        onPick={props.onLevels}
      />
    </div>
  );
}

function Tip(props: { drawn: Drawn; at: number; basis: string; mode: Mode }) {
  const { drawn, at, mode } = props;
  const of = drawn.of[at];
  const time = drawn.time_ns[at] ?? 0;
  const kv = drawn.kv_len[at] ?? -1;
  if (of === undefined) return null;
  const rows: [string, string, string?][] = [
    ["queries", count(drawn.q_len[at] ?? 0)],
    ["keys", kv < 0 ? "unknown" : count(kv)],
    [props.basis === "device" ? "device time" : "CPU time", duration(time), exactDuration(time)],
    ["component", of.component ?? "unknown"],
    ["implementation", titleOf(of.implementation)],
  ];
  return (
    <>
      <b>call {count(drawn.index[at] ?? 0)}</b>
      <span class="of">
        <MarkIcon {...lookOf(of, mode)} /> {nameOf(of)}
      </span>
      <dl>
        {rows.map(([name, value, exact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={exact}>{value}</dd>
          </div>
        ))}
      </dl>
      <p>Click to find it in the table.</p>
    </>
  );
}
