// The steps of a serving engine: how many sequences it prefills and decodes in each.

import { useMemo } from "preact/hooks";
import type { ServedStep } from "../../api/phases";
import { downloadCsv, fileName } from "../../browser";
import { RunChoice, SaveButtons } from "../../components/panel";
import { apart } from "../../drawing/axis";
import { count, exactDuration, inUnit, shortenMiddle, timeUnit } from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import { type WindowColumn, WindowTable } from "../../table/WindowTable";
import { windowOf } from "../../table/windows";
import { phaseColor, titleOf } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import { servedCsv } from "./export";
import type { Phased } from "./phased";

type Placed = ServedStep & { place: number };

function columnsOf(steps: readonly ServedStep[], mode: Mode): WindowColumn<Placed>[] {
  const lengths = timeUnit(steps.map((step) => step.dur_ns));
  const starts = timeUnit(steps.map((step) => step.start_ns + step.dur_ns));
  const number = (id: keyof ServedStep, title: string, hint: string): WindowColumn<Placed> => ({
    id,
    title,
    hint,
    width: 112,
    isNumber: true,
    show: (step) => (step[id] === null ? "–" : count(step[id] as number)),
    exact: (step) => (step[id] === null ? "" : String(step[id])),
  });
  return [
    {
      ...number("start_ns", `start ${starts.name}`, "From the first event of the trace"),
      show: (step) => apart(step.start_ns / starts.ns, 0.001),
      exact: (step) => exactDuration(step.start_ns),
    },
    {
      ...number("dur_ns", `takes ${lengths.name}`, "As the engine's annotation spans it"),
      show: (step) => inUnit(step.dur_ns, lengths),
      exact: (step) => exactDuration(step.dur_ns),
    },
    {
      id: "phase",
      title: "phase",
      hint: "Mixed is a step that prefills some sequences and decodes others",
      width: 112,
      isNumber: false,
      show: (step) => (
        <>
          <i class="swatch" style={{ background: phaseColor(step.phase, mode) }} />
          {titleOf(step.phase)}
        </>
      ),
      exact: (step) => step.phase,
    },
    number("prefills", "prefills", "Sequences whose prompt is processed"),
    number("decodes", "decodes", "Sequences that are given a next token"),
    number("prefill_tokens", "prefill tokens", "– where the annotation does not tell"),
    number("decode_tokens", "decode tokens", "– where the annotation does not tell"),
    {
      id: "name",
      title: "annotation",
      hint: "As the engine names the step",
      width: 240,
      grows: true,
      isNumber: false,
      show: (step) => shortenMiddle(step.name, 90),
      exact: (step) => step.name,
    },
  ];
}

export function Served(props: {
  runs: readonly Phased[];
  state: State;
  store: Store;
  mode: Mode;
  /** Shows a step in the strips. */
  onShow: (run: Phased, step: ServedStep) => void;
}) {
  const { state, store, mode } = props;
  const runs = props.runs.filter((run) => run.phases.served.length > 0);
  const run = runs.find((each) => each.id === state.shown) ?? runs[0];
  const steps = useMemo(
    () => (run?.phases.served ?? []).map((step, place): Placed => ({ ...step, place })),
    [run],
  );
  const columns = useMemo(() => columnsOf(steps, mode), [steps, mode]);
  if (run === undefined) return null;
  // The order of the table of phases is another one.
  const [, minus, column] = /^(-?)(.+)$/.exec(state.of.phases_served ?? "") ?? [];
  const sort = column === undefined ? null : { column, descending: minus === "-" };
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Served steps</h2>
        {runs.length > 1 && (
          <RunChoice
            word="of"
            runs={runs}
            shown={run.id}
            onShow={(shown) => store.write({ shown }, "push")}
          />
        )}
        <span class="soft">{count(steps.length)}; a click shows one in the strip</span>
        <span class="space" />
        <SaveButtons
          csvHint="A line for each step, exact"
          onCsv={() => downloadCsv(`${fileName("served", run.label)}.csv`, servedCsv(steps))}
        />
      </div>
      <WindowTable
        label="Served steps"
        columns={columns}
        listKey={`${run.id} ${run.phases.served.length} ${state.of.phases_served ?? ""}`}
        load={async (ask) =>
          windowOf(
            steps,
            ask,
            sort && {
              valueOf: (step) => step[sort.column as keyof ServedStep] ?? null,
              descending: sort.descending,
            },
            (step) => step.place,
          )
        }
        keyOf={(step) => step.place}
        sort={sort}
        onSort={(next) =>
          store.write(
            {
              of: {
                ...state.of,
                phases_served: next ? `${next.descending ? "-" : ""}${next.column}` : "",
              },
            },
            "replace",
          )
        }
        marked={null}
        onMark={(step) => props.onShow(run, step)}
        nothing="The engine tells of no step."
      />
    </section>
  );
}
