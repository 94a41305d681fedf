// The main chart: sequence length per attention call, a plot for each run on one scale.

import { useMemo, useState } from "preact/hooks";
import { download, downloadCsv, fileName } from "../../browser";
import { Segmented } from "../../components/controls";
import { Empty } from "../../components/notices";
import { SaveButtons } from "../../components/panel";
import { MarkIcon } from "../../drawing/Mark";
import type { Stretch } from "../../drawing/stretch";
import { toText } from "../../drawing/stretch";
import { shortenMiddle } from "../../format";
import { useLiveOf } from "../../state/stretch";
import type { PageProps } from "../registry";
import { type Drawn, keysOf } from "./drawn";
import { drawnCsv } from "./export";
import { legendOf } from "./looks";
import { Plot } from "./Plot";
import { savePicture } from "./picture";
import { lengthAxis } from "./plot";
import type { Sequenced } from "./sequences";
import {
  CALL,
  CUT_NAME,
  type Cut,
  firstPeriod,
  markedOf,
  type View,
  viewOf,
  withView,
} from "./view";
import { caption, nothingIn } from "./words";

/** What the plots draw at the moment, by id of the run. */
type Shown = ReadonlyMap<string, { calls: Drawn; isCoarse: boolean }>;

export function Chart(
  props: PageProps & { sequenced: readonly Sequenced[]; shown: Sequenced; detail: string },
) {
  const { client, sequenced, shown, selection, state, store, mode } = props;
  const [of, setOf] = useLiveOf(store, state);
  const view = useMemo(() => viewOf(of), [of]);
  const y = useMemo(() => lengthAxis(sequenced, view.isLog), [sequenced, view.isLog]);
  const [drawn, setDrawn] = useState<Shown>(new Map());
  const marked = markedOf(of);
  const first = sequenced[0] as Sequenced;
  const file = fileName("attention", ...sequenced.map((run) => run.label));
  const title = first.sequence.sentence;
  const change = (next: Partial<View>) =>
    store.write({ of: withView(state.of, view.along, next) }, "push");
  const setStretch = (next: Stretch | null) => setOf(CUT_NAME[view.along], toText(next));

  const noteDrawn = (id: string, now: Drawn, isCoarse: boolean) =>
    setDrawn((before) => new Map(before).set(id, { calls: now, isCoarse }));

  const filled = sequenced.filter((run) => run.sequence.calls > 0);
  const parts = useMemo(
    () =>
      sequenced.flatMap((run) => {
        const shown = run.sequence.calls > 0 ? drawn.get(run.id) : undefined;
        return shown ? [{ run, drawn: shown.calls, isCoarse: shown.isCoarse }] : [];
      }),
    [sequenced, drawn],
  );
  const keys = useMemo(() => keysOf(parts.map((part) => part.drawn)), [parts]);
  const isCoarse = parts.some((part) => part.isCoarse);
  const explained = caption(sequenced, view, isCoarse);
  return (
    <>
      <h1>{title}</h1>
      <p class="detail">{props.detail}</p>
      <section class="panel chart-panel">
        <div class="panel-head">
          <h2>Sequence length per call</h2>
          {filled.length > 0 && (
            <>
              <Segmented
                label="Scale of lengths"
                choices={[
                  { id: "log", title: "Log", hint: "Powers of two at equal distances" },
                  { id: "linear", title: "Linear", hint: "Lengths from 0" },
                ]}
                value={view.isLog ? "log" : "linear"}
                onChange={(id) => change({ isLog: id === "log" })}
              />
              <Segmented
                label="Horizontal axis"
                choices={[
                  { id: "calls", title: "Calls", hint: "One call after the other" },
                  { id: "time", title: "Time", hint: "Where each call starts" },
                ]}
                value={view.along}
                onChange={(id) => change({ along: id === "time" ? "time" : "calls" })}
              />
              <Segmented
                label="Weight of the distribution"
                choices={[
                  { id: "time", title: "By time", hint: "The bars add up the time of the calls" },
                  { id: "calls", title: "By calls", hint: "The bars count the calls" },
                ]}
                value={view.weight}
                onChange={(id) => change({ weight: id === "calls" ? "calls" : "time" })}
              />
              <CutButtons sequenced={sequenced} view={view} onCut={(cut) => change({ cut })} />
            </>
          )}
          <span class="space" />
          {filled.length > 0 && (
            <SaveButtons
              csvHint="The calls that are drawn, exact"
              onCsv={() => downloadCsv(`${file}.csv`, drawnCsv(parts, view))}
              onPng={async () => {
                const picture = { title, caption: explained, mode, parts, y, view };
                download(`${file}.png`, await savePicture(picture));
              }}
            />
          )}
        </div>
        <figure class="sequences">
          <div class="multiples">
            {sequenced.map((run, index) => {
              const nothing = nothingIn(run.sequence, selection.length > 0);
              return (
                <div key={run.id} class="multiple">
                  {sequenced.length > 1 && (
                    <>
                      <p title={run.id}>
                        <b>{shortenMiddle(run.label, 60)}</b>
                        {index === 0 && <em>base</em>}
                      </p>
                      <p class="soft">{run.sequence.sentence}</p>
                    </>
                  )}
                  {nothing ? (
                    <Empty title={nothing.title}>
                      <p>{nothing.text}</p>
                    </Empty>
                  ) : (
                    <Plot
                      run={run}
                      client={client}
                      selection={selection}
                      y={y}
                      view={view}
                      mode={mode}
                      marked={run.id === shown.id ? marked : null}
                      onStretch={setStretch}
                      onMark={(at) =>
                        store.write(
                          {
                            ...(run.id === shown.id ? {} : { shown: run.id }),
                            ...(at === null ? {} : { table: "calls" }),
                            of: { ...state.of, [CALL]: at === null ? "" : String(at) },
                          },
                          "replace",
                        )
                      }
                      onLevels={() => store.write({ table: "levels", shown: run.id }, "replace")}
                      onDrawn={noteDrawn}
                    />
                  )}
                </div>
              );
            })}
          </div>
          {filled.length > 0 && (
            <>
              <ul class="legend" aria-label="Marks">
                {legendOf(keys, mode).map(({ look, name }) => (
                  <li key={name}>
                    <MarkIcon {...look} />
                    {name}
                  </li>
                ))}
                {parts.some((part) => hasKeys(part.drawn)) && (
                  <li>
                    <MarkIcon color="currentColor" shape="disc" inside="filled" faint />
                    its keys, where they differ
                  </li>
                )}
              </ul>
              <figcaption>{explained}</figcaption>
            </>
          )}
        </figure>
      </section>
    </>
  );
}

/** Whether any call drawn has more or fewer keys than queries. */
function hasKeys({ q_len, kv_len }: Drawn): boolean {
  return q_len.some((length, at) => kv_len[at] !== length);
}

function CutButtons(props: {
  sequenced: readonly Sequenced[];
  view: View;
  onCut: (cut: Cut) => void;
}) {
  const { sequenced, view, onCut } = props;
  const hasPeriod = sequenced.some((run) => firstPeriod(run.sequence.period) !== null);
  return (
    <fieldset class="zoom" aria-label="Zoom">
      {hasPeriod && view.along === "calls" && view.cut !== "period" && (
        <button
          type="button"
          title="Shows the first period of each run alone"
          onClick={() => onCut("period")}
        >
          Cut to the period
        </button>
      )}
      {view.cut === null ? (
        <span
          class="soft"
          title="Or Ctrl and the wheel. Shift and a drag, the wheel or an arrow key moves along."
        >
          Drag to zoom in
        </span>
      ) : (
        <button type="button" title="Double click, or Escape" onClick={() => onCut(null)}>
          Show all
        </button>
      )}
    </fieldset>
  );
}
