// Facts by name, a column a run.

import { shortenMiddle } from "../format";

/** What is shown of a fact, and its exact text on hover. */
interface Value {
  text: string;
  exact: string;
}

export interface Fact {
  name: string;
  hint: string;
  /** One a run; null is not known. */
  values: readonly (Value | null)[];
}

export function FactsTable(props: {
  caption: string;
  runs: readonly { id: string; label: string }[];
  facts: readonly Fact[];
  /** Marks what differs from the first run. */
  marksDifferences?: boolean;
}) {
  const { caption, runs, facts, marksDifferences } = props;
  const isDifferent = (value: Value | null, values: Fact["values"]) =>
    marksDifferences && value?.exact !== values[0]?.exact;
  return (
    <table>
      <caption class="hidden">{caption}</caption>
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
                class={isDifferent(value, values) ? "differs" : ""}
              >
                {value ? value.text : <span class="soft">–</span>}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
