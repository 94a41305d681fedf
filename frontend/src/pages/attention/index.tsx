// The page Attention: the sequence length of every attention call.

import { useEffect } from "preact/hooks";
import type { Attention, Sequence } from "../../api/attention";
import { AfterPaint } from "../../components/AfterPaint";
import { ErrorNotice, FileErrors, Reading, Warnings } from "../../components/notices";
import { type EachOf, loadEach } from "../../state/each";
import { useLoaded } from "../../state/loaded";
import type { PageProps } from "../registry";
import { Chart } from "./Chart";
import type { Sequenced } from "./sequences";
import { Tables } from "./Tables";
import { detail } from "./words";

export function AttentionPage(props: PageProps) {
  const { client, runs, selection, state } = props;
  const key = JSON.stringify([runs.map((run) => run.id), selection]);
  const loaded = useLoaded<EachOf<Sequenced>>(key, (ask) =>
    loadEach(runs, ask, async ({ id, label }, own) => ({
      id,
      label,
      sequence: await client.view<Sequence>("sequence", [id], { ...own, selection }),
    })),
  );
  const labelOf = (id: string) => runs.find((run) => run.id === id)?.label ?? id;
  const { data } = loaded;
  const shown = data?.runs.find((run) => run.id === state.shown) ?? data?.runs[0];

  const attentionKey = shown ? JSON.stringify([shown.id, selection]) : null;
  const attention = useLoaded(attentionKey, (ask) =>
    client.view<Attention>("attention", [shown?.id ?? ""], { ...ask, selection }),
  );
  const ofShown = attention.dataKey === attentionKey ? attention.data : null;

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
          title="The attention calls could not be read"
          message={loaded.error.message}
          onRetry={loaded.again}
        />
      )}
      {data && <FileErrors errors={data.errors} onRetry={loaded.again} />}
      {data && shown && (
        <div class={loaded.dataKey === key ? "" : "stale"}>
          <Chart
            {...props}
            sequenced={data.runs}
            shown={shown}
            detail={ofShown ? detail(ofShown, data.runs.length > 1 ? shown.label : null) : ""}
          />
          <AfterPaint>
            {() => (
              <>
                <Warnings
                  groups={data.runs.map((run) => ({
                    title: data.runs.length > 1 ? run.label : "",
                    warnings: run.sequence.warnings,
                  }))}
                />
                {attention.error && (
                  <ErrorNotice
                    title="The shapes could not be read"
                    message={attention.error.message}
                    onRetry={attention.again}
                  />
                )}
                {attention.data && (
                  <Tables
                    client={client}
                    selection={selection}
                    sequenced={data.runs}
                    shown={shown}
                    attention={attention.data}
                    state={state}
                    store={props.store}
                    mode={props.mode}
                  />
                )}
              </>
            )}
          </AfterPaint>
        </div>
      )}
    </>
  );
}
