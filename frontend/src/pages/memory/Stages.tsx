// The stages of one run: by the formula, as the calls are, and as recorded, side by side.

import { useMemo } from "preact/hooks";
import type { Stage } from "../../api/memory";
import { downloadCsv, fileName } from "../../browser";
import { RunChoice, SaveButtons } from "../../components/panel";
import { count, shortenMiddle } from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import { type WindowColumn, WindowTable } from "../../table/WindowTable";
import { byField, windowOf } from "../../table/windows";
import { stagesCsv } from "./export";
import { exactOr, lengthsOf, type Remembered, sizeOr } from "./words";

type Placed = Stage & { place: number };

type Bytes =
  | "paper_bytes"
  | "one_head_bytes"
  | "real_bytes"
  | "real_call_bytes"
  | "softmax_bytes"
  | "measured_bytes"
  | "kept_bytes";

function text(
  id: "component" | "phase" | "kind" | "axis" | "dtype",
  width: number,
  hint: string,
): WindowColumn<Placed> {
  return {
    id,
    title: id,
    hint,
    width,
    isNumber: false,
    show: (stage) => shortenMiddle(stage[id] ?? "–", 24),
    exact: (stage) => stage[id] ?? "",
  };
}

function bytes(id: Bytes, title: string, width: number, hint: string): WindowColumn<Placed> {
  return {
    id,
    title,
    hint,
    width,
    isNumber: true,
    show: (stage) => sizeOr(stage[id]),
    exact: (stage) => exactOr(stage[id]),
  };
}

const COLUMNS: readonly WindowColumn<Placed>[] = [
  { ...text("component", 76, "Independently trained part of the pipeline"), grows: true },
  text("phase", 74, "Part of the generation"),
  text("kind", 54, "self, cross or joint"),
  text("axis", 78, "What attention goes along"),
  {
    id: "q_len",
    title: "q × keys",
    hint: "Queries and keys of a score matrix",
    width: 92,
    isNumber: true,
    show: (stage) => lengthsOf(stage),
    exact: (stage) => lengthsOf(stage),
  },
  {
    id: "matrices",
    title: "b × heads",
    hint: "Batch and heads: score matrices of one call",
    width: 80,
    isNumber: true,
    show: ({ batch, heads }) =>
      batch === null || heads === null ? "–" : `${count(batch)} × ${count(heads)}`,
    exact: ({ matrices }) => (matrices === null ? "" : `${count(matrices)} matrices a call`),
  },
  text("dtype", 66, "Of queries and keys"),
  {
    id: "calls_per_step",
    title: "calls",
    hint: "In one step of the denoiser; elsewhere in the whole recording",
    width: 54,
    isNumber: true,
    show: ({ calls_per_step }) => count(calls_per_step),
    exact: ({ calls, calls_per_step, paper_calls, implementations }) =>
      [
        `${count(calls_per_step)} a step, ${count(calls)} in the trace`,
        paper_calls === null ? "" : `the formula counts ${count(paper_calls)}`,
        Object.entries(implementations)
          .map(([name, number]) => `${name} ${count(number)}`)
          .join(", "),
      ]
        .filter(Boolean)
        .join("; "),
  },
  bytes("paper_bytes", "formula", 80, "Its part of the paper's formula"),
  bytes(
    "one_head_bytes",
    "as called",
    84,
    "The calls that were made, in the paper's convention: one head, one sequence, 2 bytes",
  ),
  bytes("real_bytes", "corrected", 84, "With heads, batch and dtype"),
  bytes("softmax_bytes", "recorded", 80, "Inputs of the softmax that the trace shows"),
  bytes("measured_bytes", "allocated", 80, "All that the calls allocated, as the allocator told"),
  bytes("real_call_bytes", "a call", 80, "The largest call: what a baseline writes at once"),
  bytes(
    "kept_bytes",
    "kept",
    76,
    "What fused attention keeps: a log-sum-exp in place of the matrices",
  ),
];

export function Stages(props: {
  run: Remembered;
  runs: readonly Remembered[];
  state: State;
  store: Store;
}) {
  const { run, runs, state, store } = props;
  const stages = useMemo(
    () => run.data.stages.map((stage, place): Placed => ({ ...stage, place })),
    [run],
  );
  // A column that no stage fills says nothing.
  const columns = useMemo(
    () =>
      COLUMNS.filter(
        ({ id }) =>
          !["axis", "phase", "dtype", "softmax_bytes", "measured_bytes", "paper_bytes"].includes(
            id,
          ) || stages.some((stage) => stage[id as keyof Stage] !== null),
      ),
    [stages],
  );
  const { sort } = state;
  const { stages_left, similarity } = run.data;
  const of = similarity.component === null ? "of the recording" : "of one step";
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Stages</h2>
        {runs.length > 1 && (
          <RunChoice
            word="of"
            runs={runs}
            shown={run.id}
            onShow={(shown) => store.write({ shown }, "push")}
          />
        )}
        <span class="soft">
          score matrices {of}, added up over the calls
          {stages_left > 0 && `; ${count(stages_left)} more are not listed`}
        </span>
        <span class="space" />
        <SaveButtons
          csvHint="A line for each stage, exact"
          onCsv={() => downloadCsv(`${fileName("stages", run.label)}.csv`, stagesCsv(stages))}
        />
      </div>
      <WindowTable
        label="Stages"
        columns={columns}
        listKey={JSON.stringify([run.id, stages.length, sort])}
        load={async (ask) => windowOf(stages, ask, byField(sort), (stage) => stage.place)}
        keyOf={(stage) => stage.place}
        sort={sort}
        onSort={(next) => store.write({ sort: next }, "replace")}
        marked={marked(state)}
        onMark={(stage) =>
          store.write({ of: { ...state.of, memory_stage: String(stage.place) } }, "replace")
        }
        nothing="No attention whose lengths are known."
      />
    </section>
  );
}

function marked(state: State): number | null {
  const place = Number.parseInt(state.of.memory_stage ?? "", 10);
  return Number.isNaN(place) ? null : place;
}
