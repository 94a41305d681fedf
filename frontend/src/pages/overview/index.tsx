// The page Overview: where the time of the chosen runs goes, and what limits them.

import { useEffect, useMemo } from "preact/hooks";
import { download, downloadCsv, fileName } from "../../browser";
import { Segmented } from "../../components/controls";
import { Legend } from "../../components/Legend";
import { ErrorNotice, FileErrors, Reading, Warnings } from "../../components/notices";
import { SaveButtons } from "../../components/panel";
import { useLoaded } from "../../state/loaded";
import type { Axis } from "../../state/url";
import type { PageProps } from "../registry";
import { runsCsv, stripsCsv } from "./export";
import { timelinePicture } from "./picture";
import { RunsTable } from "./RunsTable";
import { type AllSummed, type Summed, sumAll } from "./summed";
import { Timeline } from "./Timeline";
import { Waits } from "./Waits";
import { caption, headline } from "./words";

export function OverviewPage(props: PageProps) {
  const { client, runs, selection, state, store } = props;
  const key = JSON.stringify([runs.map((run) => run.id), selection]);
  const loaded = useLoaded<AllSummed>(key, (ask) => sumAll(client, runs, { ...ask, selection }));
  const labelOf = (id: string) => runs.find((run) => run.id === id)?.label ?? id;
  const { data } = loaded;
  const shown = data?.runs.find((run) => run.id === state.shown) ?? data?.runs[0];

  // biome-ignore lint/correctness/useExhaustiveDependencies: reading has changed what `runs` says.
  useEffect(() => {
    if (data) props.onRead();
  }, [data]);

  return (
    <>
      {loaded.isLoading && (
        <Reading progress={loaded.progress} labelOf={labelOf} onStop={props.onStop} />
      )}
      {loaded.error && (
        <ErrorNotice
          title="The runs could not be summed up"
          message={loaded.error.message}
          onRetry={loaded.again}
        />
      )}
      {data && <FileErrors errors={data.errors} onRetry={loaded.again} />}
      {data && shown && (
        <div class={loaded.dataKey === key ? "" : "stale"}>
          <Chart {...props} summed={data.runs} />
          <section class="panel">
            <div class="panel-head">
              <h2>Runs</h2>
              <span class="space" />
              <button
                type="button"
                title="A line for each device of each run, with exact figures"
                onClick={() =>
                  downloadCsv(
                    `${fileName("runs", ...data.runs.map((run) => run.label))}.csv`,
                    runsCsv(data.runs),
                  )
                }
              >
                CSV
              </button>
            </div>
            <RunsTable
              runs={data.runs}
              shown={shown.id}
              onShow={(id) => store.write({ shown: id, open: [] }, "push")}
            />
          </section>
          <Warnings
            groups={data.runs.map((run) => ({
              title: data.runs.length > 1 ? run.label : "",
              warnings: run.overview.warnings,
            }))}
          />
          <Waits run={shown} runs={data.runs} state={state} store={store} />
        </div>
      )}
    </>
  );
}

function Chart(props: PageProps & { summed: readonly Summed[] }) {
  const { summed, state, store, mode } = props;
  const words = useMemo(() => headline(summed), [summed]);
  const explained = caption(summed, state.axis, props.selection.length > 0);
  const file = fileName("timeline", ...summed.map((run) => run.label));
  const names = summed.flatMap((run) => run.overview.strip.categories);

  async function savePicture(): Promise<void> {
    const input = { runs: summed, axis: state.axis, mode };
    const picture = await timelinePicture({ ...input, title: words.sentence, caption: explained });
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
              onChange={(id) => store.write({ axis: id as Axis }, "push")}
            />
          )}
          <span class="space" />
          <SaveButtons
            csvHint="The figures of the strips, exact"
            onCsv={() => downloadCsv(`${file}.csv`, stripsCsv(summed))}
            onPng={savePicture}
          />
        </div>
        <figure class="strips">
          <Timeline runs={summed} axis={state.axis} mode={mode} />
          <Legend names={names} hasUnlinked={false} />
          <figcaption>{explained}</figcaption>
        </figure>
      </section>
    </>
  );
}
