// The page Operators: which operators the time of the chosen runs goes to.

import { useEffect, useMemo } from "preact/hooks";
import type { ComparisonAnswer } from "../../api/client";
import { UnusableError } from "../../api/client";
import type { OperatorWork } from "../../api/roofline";
import type { Comparison } from "../../api/types";
import { download, downloadCsv, fileName } from "../../browser";
import { Segmented } from "../../components/controls";
import { Legend } from "../../components/Legend";
import { ErrorNotice, FileErrors, Reading, Warnings } from "../../components/notices";
import { SaveButtons } from "../../components/panel";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { useLoaded } from "../../state/loaded";
import type { Scale } from "../../state/url";
import { keyOf } from "../../table/model";
import type { PageProps } from "../registry";
import { barsHeight, drawBars, drawnScale } from "./bars";
import { CompareTable } from "./CompareTable";
import { comparisonCsv } from "./export";
import { StackedBars } from "./StackedBars";
import { type Against, DIFFERENCES, Tables } from "./Tables";
import { caption, headline } from "./words";
import { withWork } from "./work";

/** A comparison together with the ids of its runs, in its order. */
interface Compared extends ComparisonAnswer {
  ids: readonly string[];
}

export function OperatorsPage(props: PageProps) {
  const { client, runs, selection, state, store } = props;
  const ids = runs.map((run) => run.id);
  const key = JSON.stringify([ids, selection]);
  const compared = useLoaded<Compared>(key, async (ask) => {
    const answer = await client.compare(ids, { ...ask, selection });
    const failed = new Set(answer.errors.map((error) => error.run));
    return { ...answer, ids: ids.filter((id) => !failed.has(id)) };
  });
  const labelOf = (id: string) => runs.find((run) => run.id === id)?.label ?? id;

  const { data, isLoading } = compared;
  const comparison = data?.comparison ?? null;
  const usable = useMemo(() => data?.ids ?? [], [data]);
  const choices = state.table === DIFFERENCES && usable.length > 1 ? usable.slice(1) : usable;
  const shown = state.shown !== null && choices.includes(state.shown) ? state.shown : choices[0];
  const tableKey = shown === undefined ? null : JSON.stringify([shown, selection]);
  const operators = useLoaded(tableKey, (ask) =>
    client.operators(shown ?? "", { ...ask, selection }),
  );

  // It takes longer than the times and comes into the table when it is there.
  const hasWork = operators.data !== null && operators.dataKey === tableKey;
  const isHeld = shown !== undefined && client.holds("work", [shown]);
  const work = useLoaded<OperatorWork>(hasWork && isHeld ? tableKey : null, (ask) =>
    client.view("work", [shown ?? ""], { ...ask, selection }),
  );
  const worked = useMemo(
    () => operators.data && withWork(operators.data, work.dataKey === tableKey ? work.data : null),
    [operators.data, work.data, work.dataKey, tableKey],
  );

  const needsBase = state.table === DIFFERENCES && shown !== usable[0];
  const baseKey = needsBase ? JSON.stringify([usable[0], selection]) : null;
  const base = useLoaded(baseKey, (ask) =>
    client.operators(usable[0] ?? "", { ...ask, selection }),
  );
  const against = useMemo((): Against | null => {
    const index = usable.indexOf(shown ?? "");
    if (comparison === null || base.data === null || base.dataKey !== baseKey) return null;
    return index > 0 ? { base: base.data, comparison, index } : null;
  }, [base.data, base.dataKey, baseKey, comparison, usable, shown]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: reading has changed what `runs` says.
  useEffect(() => {
    if (data) props.onRead();
  }, [data]);

  return (
    <>
      {isLoading && (
        <Reading progress={compared.progress} labelOf={labelOf} onStop={props.onStop} />
      )}
      {compared.error && (
        <ErrorNotice
          title="The runs could not be compared"
          message={compared.error.message}
          onRetry={compared.again}
        />
      )}
      {data && <FileErrors errors={data.errors} onRetry={compared.again} />}
      <div class={compared.dataKey === key ? "" : "stale"}>
        {comparison && (
          <>
            <Bars {...props} comparison={comparison} ids={usable} />
            <Warnings groups={warningsOf(comparison)} />
          </>
        )}
        {operators.error && <OperatorsError error={operators.error} onRetry={operators.again} />}
        {!isLoading && operators.isLoading && (
          <Reading progress={operators.progress} labelOf={labelOf} onStop={props.onStop} />
        )}
        {base.error && <OperatorsError error={base.error} onRetry={base.again} />}
        {comparison && worked && (!needsBase || against) && (
          <Tables
            operators={worked}
            runs={usable.map((id, index) => ({
              id,
              label: comparison.runs[index]?.run ?? labelOf(id),
            }))}
            shown={shown ?? ""}
            against={against}
            state={state}
            store={store}
          />
        )}
      </div>
    </>
  );
}

function Bars(props: PageProps & { comparison: Comparison; ids: readonly string[] }) {
  const { comparison, ids, state, store, mode } = props;
  const scale = drawnScale(comparison, state.scale);
  const canBeRelative = drawnScale(comparison, "relative") === "relative";
  const words = useMemo(() => headline(comparison), [comparison]);
  const explained = caption(comparison, scale);
  const names = comparison.runs
    .flatMap((run) => run.categories)
    .filter((bar) => bar.sum_ns > 0)
    .map((bar) => bar.category);
  const hasUnlinked = comparison.runs.some((run) => run.unlinked_ns > 0);
  const file = fileName("operators", ...comparison.runs.map((run) => run.run));

  async function savePicture(): Promise<void> {
    const input = { comparison, scale, mode, width: PICTURE_ROOM };
    const picture = await pictureOf({
      title: words.sentence,
      caption: explained,
      mode,
      names,
      hasUnlinked,
      parts: [
        {
          text: "",
          height: barsHeight(comparison.runs.length),
          draw: (context) => drawBars(context, input),
        },
      ],
    });
    download(`${file}.png`, picture);
  }

  function open(index: number, category: string): void {
    const open = [...new Set([...state.open, keyOf("", category)])];
    store.write({ shown: (index > 0 && ids[index]) || null, table: "operators", open }, "push");
  }

  return (
    <>
      <h1>{words.sentence}</h1>
      <p class="detail">{words.detail}</p>
      <section class="panel chart-panel">
        <div class="panel-head">
          <h2>Time by category</h2>
          <Segmented
            label="Scale"
            choices={[
              {
                id: "relative",
                title: "Relative to base",
                hint: canBeRelative
                  ? "The base's bar has length 1"
                  : "Runs without time, or with times of another kind, are not relative to the base",
                isDisabled: !canBeRelative,
              },
              { id: "absolute", title: "Absolute time", hint: "One scale of time for all bars" },
            ]}
            value={scale}
            onChange={(id) => store.write({ scale: id as Scale }, "push")}
          />
          <span class="space" />
          <SaveButtons
            csvHint="The figures of the chart, exact"
            onCsv={() => downloadCsv(`${file}.csv`, comparisonCsv(comparison))}
            onPng={savePicture}
          />
        </div>
        <div class="side-by-side">
          <figure>
            <StackedBars
              label={words.sentence}
              comparison={comparison}
              scale={scale}
              mode={mode}
              onPick={open}
            />
            <Legend names={names} hasUnlinked={hasUnlinked} />
            <figcaption>{explained}</figcaption>
          </figure>
          {comparison.runs.length > 1 && (
            <details class="figures" open={isWide()}>
              <summary>Figures</summary>
              <CompareTable comparison={comparison} />
            </details>
          )}
        </div>
      </section>
    </>
  );
}

/** Whether the figures find room beside the chart; below it they would push the table away. */
function isWide(): boolean {
  return window.innerWidth >= 1700;
}

function OperatorsError(props: { error: Error; onRetry: () => void }) {
  const { error, onRetry } = props;
  if (error instanceof UnusableError) return <FileErrors errors={error.errors} onRetry={onRetry} />;
  return (
    <ErrorNotice title="The table could not be read" message={error.message} onRetry={onRetry} />
  );
}

function warningsOf(comparison: Comparison) {
  return [
    { title: "", warnings: comparison.warnings },
    ...comparison.runs.map((run) => ({ title: run.run, warnings: run.warnings })),
  ];
}
