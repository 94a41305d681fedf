// What was run: the workload, its components and its memory, of each run beside the others.

import { useMemo } from "preact/hooks";
import { downloadCsv, fileName } from "../../browser";
import { FactsTable } from "../../components/FactsTable";
import { SaveButtons } from "../../components/panel";
import { factsCsv, factsOf } from "./facts";
import type { Summed } from "./summed";

export function Facts({ runs }: { runs: readonly Summed[] }) {
  const facts = useMemo(() => factsOf(runs), [runs]);
  if (facts.length === 0) return null;
  const file = fileName("workload", ...runs.map((run) => run.label));
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>What was run</h2>
        {runs.length > 1 && <span class="soft">bold: differs from the base</span>}
        <span class="space" />
        <SaveButtons
          csvHint="A line for each fact, a column for each run, exact"
          onCsv={() => downloadCsv(`${file}.csv`, factsCsv(runs))}
        />
      </div>
      <div class="workload">
        <FactsTable caption="What was run" runs={runs} facts={facts} marksDifferences />
      </div>
    </section>
  );
}
