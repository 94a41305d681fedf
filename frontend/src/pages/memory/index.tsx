// The page Memory: score matrices by the paper's formula, as they are and as recorded, and what
// was allocated.

import { useMemo } from "preact/hooks";
import type { MemoryGrowth } from "../../api/memory";
import { AfterPaint } from "../../components/AfterPaint";
import { Answered, useAnswered, useEachView } from "../../components/Answered";
import { Segmented } from "../../components/controls";
import { FactsTable } from "../../components/FactsTable";
import { Warnings } from "../../components/notices";
import { RunChoice } from "../../components/panel";
import type { PageProps } from "../registry";
import { isSweep, ofRun, ofRuns } from "./curves";
import { GrowthChart } from "./Growth";
import { MeasuredPanel } from "./Measured";
import { Stages } from "./Stages";
import {
  CAPTION,
  fusedFacts,
  type Remembered,
  restFacts,
  SWEEP_CAPTION,
  sentence,
  stepFacts,
} from "./words";

export function MemoryPage(props: PageProps) {
  const { client, runs } = props;
  // Allocations and steps of the denoiser are of the whole recording, whatever the filters say.
  const asking = { ...props, selection: [] };
  const answered = useEachView<Remembered["data"]>(asking, "memory");
  // The answer does not depend on the order, and a report holds it in this one.
  const ids = runs.map((run) => run.id).toSorted();
  const sweep = useAnswered<MemoryGrowth>(asking, (ask) => client.view("memory-growth", ids, ask), {
    isAsked: ids.length > 1 && answered.current !== null && client.holds("memory-growth", ids),
  });
  return (
    <Answered of={answered} title="The memory could not be found" {...props}>
      {(found) => (
        <Content {...props} found={found as readonly Remembered[]} sweep={sweep.current} />
      )}
    </Answered>
  );
}

function Content(props: PageProps & { found: readonly Remembered[]; sweep: MemoryGrowth | null }) {
  const { found, state, store, mode, runs } = props;
  const sweep = isSweep(props.sweep) ? props.sweep : null;
  const base = found[0] as Remembered;
  const run = found.find((each) => each.id === state.shown) ?? base;
  const labelOf = useMemo(() => {
    const labels = new Map(runs.map(({ id, label }) => [id, label]));
    return (id: string) => labels.get(id) ?? id;
  }, [runs]);
  const isOverRuns = sweep !== null && state.of.memory_growth !== "run";
  const grown = useMemo(
    () => (isOverRuns && sweep ? ofRuns(sweep) : ofRun(run.data, run.id)),
    [isOverRuns, sweep, run],
  );
  const facts = useMemo(() => stepFacts(found), [found]);
  const fused = useMemo(() => fusedFacts(found), [found]);
  const rest = useMemo(() => restFacts(found), [found]);
  const said = sweep ? sweep.sentence : base.data.growth.sentence;
  // Where nothing grows with an image, what was allocated is what there is to see.
  const hasMatrices = grown.points.length > 0;
  const measured = <MeasuredPanel run={run} runs={found} state={state} store={store} mode={mode} />;
  const words = found.length > 1 ? `${base.label}: ${base.data.sentence}` : base.data.sentence;
  return (
    <>
      <h1>{words}</h1>
      <p class="detail">{said}</p>
      {props.selection.length > 0 && (
        <p class="note">The filters do not apply here: memory is of the whole recording.</p>
      )}
      {!hasMatrices && measured}
      <section class="panel chart-panel">
        <div class="panel-head wraps">
          <h2>Score matrices of one step</h2>
          {sweep && (
            <Segmented
              label="Sizes"
              choices={[
                { id: "runs", title: "Chosen runs", hint: "The sizes that were recorded" },
                { id: "run", title: "From one run", hint: "Computed from the calls of one run" },
              ]}
              value={isOverRuns ? "runs" : "run"}
              onChange={(memory_growth) =>
                store.write({ of: { ...state.of, memory_growth } }, "push")
              }
            />
          )}
          {found.length > 1 && !isOverRuns && (
            <RunChoice
              word="of"
              runs={found}
              shown={run.id}
              onShow={(shown) => store.write({ shown }, "push")}
            />
          )}
        </div>
        {grown.points.length > 0 && (
          <GrowthChart
            grown={grown}
            caption={isOverRuns ? SWEEP_CAPTION : CAPTION}
            name={isOverRuns ? "growth" : run.label}
            isSaid={grown.sentence === said}
            {...{ state, store, mode, labelOf }}
          />
        )}
        {sweep && sweep.left_out.length > 0 && isOverRuns && (
          <p class="soft left-out">
            Left out:{" "}
            {sweep.left_out.map(({ run, reason }) => `${labelOf(run)} (${reason})`).join(", ")}.
          </p>
        )}
        {facts.length > 0 && (
          <div class="workload">
            <FactsTable caption="Score matrices of one step" runs={found} facts={facts} />
          </div>
        )}
        <Reasons run={run} />
      </section>
      <Warnings
        groups={[
          ...found.map(({ label, data }) => ({
            title: found.length > 1 ? label : "",
            warnings: data.warnings,
          })),
          { title: "Over the runs", warnings: sweep?.warnings ?? [] },
        ]}
      />
      <AfterPaint>
        {() => (
          <>
            <Stages run={run} runs={found} state={state} store={store} />
            <section class="panel">
              <div class="panel-head">
                <h2>What fused attention avoids</h2>
                <span class="soft">{run.data.fused.sentence}</span>
              </div>
              <div class="workload">
                <FactsTable caption="What fused attention avoids" runs={found} facts={fused} />
              </div>
            </section>
            {rest.length > 0 && (
              <section class="panel">
                <div class="panel-head">
                  <h2>Parameters and caches</h2>
                </div>
                <div class="workload">
                  <FactsTable caption="Parameters and caches" runs={found} facts={rest} />
                </div>
              </section>
            )}
            {hasMatrices && measured}
          </>
        )}
      </AfterPaint>
    </>
  );
}

/** Why a figure is not there, and where the formula's parameters come from. */
function Reasons({ run }: { run: Remembered }) {
  const { similarity, growth } = run.data;
  const told = [
    growth.reason,
    similarity.reason === null ? similarity.sentence : similarity.reason,
    similarity.paper_reason,
    similarity.parameters?.reason,
    similarity.other_components.length > 0
      ? `${similarity.other_components.join(", ")} denoising as well is not in these figures`
      : null,
    similarity.step_reason === null ? null : `A step is told by ${similarity.step_reason}`,
  ].filter((text): text is string => !!text);
  if (told.length === 0) return null;
  return (
    <ul class="soft reasons">
      {[...new Set(told)].map((text) => (
        <li key={text}>{sentence(text)}</li>
      ))}
    </ul>
  );
}
