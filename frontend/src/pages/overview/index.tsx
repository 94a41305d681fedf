// The page Overview: where the time of the chosen runs goes, and what limits them.

import { useMemo } from "preact/hooks";
import { download, downloadCsv, fileName } from "../../browser";
import { AfterPaint } from "../../components/AfterPaint";
import { Answered, useEachAnswered } from "../../components/Answered";
import { Segmented } from "../../components/controls";
import { Legend } from "../../components/Legend";
import { Warnings } from "../../components/notices";
import { SaveButtons } from "../../components/panel";
import { ZoomButtons } from "../../components/ZoomButtons";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import type { Store } from "../../state/location";
import type { Axis, State } from "../../state/url";
import type { PageProps } from "../registry";
import { showInPerfetto } from "../trace/link";
import { runsCsv, stripsCsv } from "./export";
import { Facts } from "./Facts";
import { useFiner } from "./finer";
import { RunsTable } from "./RunsTable";
import { SHORTEST_NS, useRange } from "./range";
import { drawStrip, layoutOf } from "./strip";
import type { Summed } from "./summed";
import { stripInput, Timeline, type View, wholeOf } from "./Timeline";
import { Waits } from "./Waits";
import { caption, deviceNames, headline } from "./words";

export function OverviewPage(props: PageProps) {
  const { client, state, store } = props;
  const answered = useEachAnswered<Summed>(props, async ({ id, label }, ask) => ({
    id,
    label,
    overview: await client.overview(id, ask),
  }));
  return (
    <Answered of={answered} title="The runs could not be summed up" {...props}>
      {(summed) => {
        const shown = summed.find((run) => run.id === state.shown) ?? (summed[0] as Summed);
        return (
          <>
            <Chart {...props} summed={summed} shown={shown} />
            <AfterPaint>
              {() => (
                <Below
                  summed={summed}
                  shown={shown}
                  state={state}
                  store={store}
                  isLive={client.isLive}
                />
              )}
            </AfterPaint>
          </>
        );
      }}
    </Answered>
  );
}

/** What is below the chart. */
function Below(props: {
  summed: readonly Summed[];
  shown: Summed;
  state: State;
  store: Store;
  isLive: boolean;
}) {
  const { summed, shown, state, store, isLive } = props;
  const labels = summed.map((run) => run.label);
  return (
    <>
      <section class="panel">
        <div class="panel-head">
          <h2>Runs</h2>
          <span class="space" />
          <SaveButtons
            csvHint="A line for each device of each run, with exact figures"
            onCsv={() => downloadCsv(`${fileName("runs", ...labels)}.csv`, runsCsv(summed))}
          />
        </div>
        <RunsTable
          runs={summed}
          shown={shown.id}
          onShow={(id) => store.write({ shown: id, open: [] }, "push")}
        />
      </section>
      <Warnings
        groups={summed.map((run) => ({
          title: summed.length > 1 ? run.label : "",
          warnings: run.overview.warnings,
        }))}
      />
      <Facts runs={summed} />
      <Waits run={shown} runs={summed} state={state} store={store} isLive={isLive} />
    </>
  );
}

function Chart(props: PageProps & { summed: readonly Summed[]; shown: Summed }) {
  const { client, summed, shown, selection, state, store, mode } = props;
  const words = useMemo(() => headline(summed), [summed]);
  const [range, setRange] = useRange(store, state);
  const finer = useFiner(client, summed, selection, range);
  const { strips } = finer;
  const view = useMemo(
    (): View => ({ axis: state.axis, range, finer: strips, mode }),
    [state.axis, range, strips, mode],
  );
  const explained = caption(summed, range === null ? state.axis : "shared", selection.length > 0);
  const file = fileName("timeline", ...summed.map((run) => run.label));
  const names = summed.flatMap((run) => run.overview.strip.categories);

  async function savePicture(): Promise<void> {
    const picture = await pictureOf({
      title: words.sentence,
      caption: explained,
      mode,
      names,
      hasUnlinked: false,
      parts: summed.map((run) => {
        const input = stripInput(run, summed, view, PICTURE_ROOM);
        return {
          text: `${run.label}, ${deviceNames(run.overview)}`,
          height: layoutOf(input).height,
          draw: (context) => drawStrip(context, input),
        };
      }),
    });
    download(`${file}.png`, picture);
  }

  return (
    <>
      <h1>{words.sentence}</h1>
      <p class="detail">{words.detail}</p>
      <section class="panel chart-panel">
        <div class="panel-head">
          <h2>Timeline</h2>
          {summed.length > 1 && (
            <Segmented
              label="Axis of time"
              choices={[
                { id: "shared", title: "One scale", hint: "All runs have one scale of time" },
                { id: "own", title: "Full width each", hint: "Each run fills the width" },
              ]}
              value={state.axis}
              onChange={(id) => store.write({ axis: id as Axis, range: null }, "push")}
            />
          )}
          <ZoomButtons
            whole_ns={wholeOf(summed)}
            range={range}
            least_ns={SHORTEST_NS}
            start_ns={summed[0]?.overview.strip.start_ns ?? 0}
            hint="Drag over a strip to zoom in"
            onRange={setRange}
          />
          {range !== null && client.isLive && (
            <button
              type="button"
              title={`Show this stretch of ${shown.label} in the Perfetto UI`}
              onClick={() => {
                const { start_ns } = shown.overview.strip;
                showInPerfetto(store, shown.id, [start_ns + range[0], start_ns + range[1]]);
              }}
            >
              In Perfetto
            </button>
          )}
          {finer.error && (
            <span class="soft" role="status">
              Finer bins could not be read: {finer.error.message}
            </span>
          )}
          <span class="space" />
          <SaveButtons
            csvHint="The figures of the strips, exact, of the time that is shown"
            onCsv={() => downloadCsv(`${file}.csv`, stripsCsv(summed, range, strips))}
            onPng={savePicture}
          />
        </div>
        <figure class="strips">
          <Timeline runs={summed} view={view} onRange={setRange} />
          <Legend names={names} hasUnlinked={false} />
          <figcaption>{explained}</figcaption>
        </figure>
      </section>
    </>
  );
}
