// What was run: the workload, its components and its memory, of each run beside the others.

import { useMemo } from "preact/hooks";
import { downloadCsv, fileName } from "../../browser";
import { SaveButtons } from "../../components/panel";
import { shortenMiddle } from "../../format";
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
        <table>
          <caption class="hidden">What was run</caption>
          {runs.length > 1 && (
            <thead>
              <tr>
                <th />
                {runs.map((run) => (
                  <th key={run.id} scope="col" title={run.id}>
                    {shortenMiddle(run.label, 40)}
                  </th>
                ))}
              </tr>
            </thead>
          )}
          <tbody>
            {facts.map(({ name, hint, values }, at) => (
              <tr key={`${at} ${name}`}>
                <th scope="row" title={hint}>
                  {name}
                </th>
                {values.map((value, index) => (
                  <td
                    key={runs[index]?.id}
                    title={value?.exact}
                    class={value?.exact !== values[0]?.exact ? "differs" : ""}
                  >
                    {value ? value.text : <span class="soft">–</span>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
