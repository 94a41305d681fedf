// Times to the first token, per token and per denoising step, of each run beside the others.

import { useMemo } from "preact/hooks";
import { downloadCsv, fileName } from "../../browser";
import { FactsTable } from "../../components/FactsTable";
import { SaveButtons } from "../../components/panel";
import { figuresCsv } from "./export";
import type { Phased } from "./phased";
import { figuresOf } from "./words";

export function Figures({ runs }: { runs: readonly Phased[] }) {
  const rows = useMemo(() => figuresOf(runs), [runs]);
  if (rows.length === 0) return null;
  const file = fileName("paces", ...runs.map((run) => run.label));
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Tokens and steps</h2>
        <span class="soft">
          of rounds as the device worked on them, as the CPU ran them where there is none
        </span>
        <span class="space" />
        <SaveButtons
          csvHint="A line for each time of each run, exact"
          onCsv={() => downloadCsv(`${file}.csv`, figuresCsv(runs))}
        />
      </div>
      <div class="workload figures-table">
        <FactsTable caption="Tokens and steps" runs={runs} facts={rows} />
      </div>
    </section>
  );
}
