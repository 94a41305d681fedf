// The table of all claims: what the paper states beside what was measured.

import { useMemo } from "preact/hooks";
import type { ClaimRow, Outcome, Paper, Verdict } from "../../api/paper";
import { downloadCsv, fileName } from "../../browser";
import { Segmented } from "../../components/controls";
import { SaveButtons } from "../../components/panel";
import { toCsv } from "../../csv";
import { threeDigits } from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import {
  measuredText,
  ofText,
  settingText,
  statedOf,
  statedText,
  VERDICTS,
  verdictOf,
} from "./words";

/** The state's names, in the bag `of`. */
const VERDICT = "paper_verdict";
const SORT = "paper_sort";

interface Line {
  row: ClaimRow;
  outcome: Outcome;
}

const COLUMNS: readonly {
  id: string;
  title: string;
  hint: string;
  value: (line: Line, paper: Paper) => string | number | null;
}[] = [
  { id: "claim", title: "claim", hint: "In the paper's order", value: () => null },
  {
    id: "of",
    title: "of",
    hint: "What is counted",
    value: ({ outcome }, p) => ofText(p, outcome.of),
  },
  {
    id: "paper",
    title: "paper",
    hint: "What the paper states",
    value: ({ row, outcome }) => statedOf(row.claim, outcome)[0]?.value ?? null,
  },
  {
    id: "measured",
    title: "measured",
    hint: "What was measured here",
    value: ({ outcome }) => outcome.measured,
  },
  {
    id: "ratio",
    title: "ratio",
    hint: "Measured over stated, where both are a number",
    value: ({ outcome }) => outcome.ratio,
  },
  {
    id: "on",
    title: "hardware",
    hint: "What it was measured on",
    value: ({ outcome }, p) => settingText(p.settings[outcome.setting ?? -1]),
  },
  {
    id: "verdict",
    title: "verdict",
    hint: "The best first",
    value: ({ outcome }) => VERDICTS.findIndex(({ id }) => id === outcome.verdict),
  },
  { id: "why", title: "why", hint: "What was compared", value: ({ outcome }) => outcome.why },
];

export function Claims(props: { paper: Paper; state: State; store: Store }) {
  const { paper, state, store } = props;
  const wanted = state.of[VERDICT] ?? "";
  const sort = state.of[SORT] ?? "";
  const write = (name: string, value: string) =>
    store.write({ of: { ...state.of, [name]: value } }, "replace");
  const lines = useMemo(() => shownLines(paper, wanted, sort), [paper, wanted, sort]);
  const choices = [
    { id: "", title: `all ${paper.rows.reduce((sum, row) => sum + row.outcomes.length, 0)}` },
    ...VERDICTS.map(({ id, title, hint }) => ({
      id,
      title: `${title} ${paper.verdicts[id] ?? 0}`,
      hint,
      isDisabled: !paper.verdicts[id],
    })),
  ];
  const column = sort.replace(/^-/, "");
  const next = (id: string) => {
    if (column !== id) return id;
    return sort.startsWith("-") ? "" : `-${id}`;
  };
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Claims</h2>
        <Segmented
          label="Verdict"
          choices={choices}
          value={wanted}
          onChange={(id) => write(VERDICT, id)}
        />
        <span class="space" />
        <SaveButtons
          csvHint="A line for each value of each claim, exact"
          onCsv={() => downloadCsv(`${fileName("paper-claims")}.csv`, claimsCsv(paper))}
        />
      </div>
      <div class="claims-box">
        <table class="claims">
          <thead>
            <tr>
              {COLUMNS.map(({ id, title, hint }) => (
                <th
                  key={id}
                  scope="col"
                  aria-sort={
                    column !== id ? "none" : sort.startsWith("-") ? "descending" : "ascending"
                  }
                >
                  <button
                    type="button"
                    title={hint}
                    onClick={() => write(SORT, id === "claim" ? "" : next(id))}
                  >
                    {column === id && (sort.startsWith("-") ? "▼ " : "▲ ")}
                    {title}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map(({ row, outcome }, at) => {
              const isFirst = sort !== "" || lines[at - 1]?.row !== row;
              return (
                <tr key={`${row.claim.id} ${outcome.of} ${at}`} class={isFirst ? "first" : ""}>
                  <td class="text">
                    {isFirst && (
                      <>
                        <b>{row.claim.ref}</b> {row.claim.text}
                      </>
                    )}
                  </td>
                  <td>{ofText(paper, outcome.of)}</td>
                  <td class="number">
                    <Stated text={statedText(row.claim, statedOf(row.claim, outcome))} />
                  </td>
                  <td class="number" title={outcome.measured === null ? "" : `${outcome.measured}`}>
                    {measuredText(row.claim, outcome)}
                  </td>
                  <td class="number" title={outcome.ratio === null ? "" : `${outcome.ratio}`}>
                    {outcome.ratio === null ? "" : threeDigits(outcome.ratio)}
                  </td>
                  <td>
                    {outcome.setting === null ? "" : settingText(paper.settings[outcome.setting])}
                  </td>
                  <td>
                    <Badge verdict={outcome.verdict} />
                  </td>
                  <td class="why">{outcome.why}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {lines.length === 0 && <p class="hint">No value has this verdict.</p>}
      </div>
    </section>
  );
}

/** What the paper states: never to be taken for what was measured. */
export function Stated({ text }: { text: string }) {
  return text === "–" ? <>–</> : <span class="cited">{text}</span>;
}

export function Badge({ verdict }: { verdict: Verdict }) {
  const found = verdictOf(verdict);
  return (
    <span class="verdict" data-verdict={verdict} title={found?.hint}>
      {found?.sign} {found?.title}
    </span>
  );
}

export function shownLines(paper: Paper, wanted: string, sort: string): Line[] {
  const lines = paper.rows.flatMap((row) => row.outcomes.map((outcome) => ({ row, outcome })));
  const kept = wanted === "" ? lines : lines.filter(({ outcome }) => outcome.verdict === wanted);
  const column = COLUMNS.find(({ id }) => id === sort.replace(/^-/, ""));
  if (column === undefined || column.id === "claim") return kept;
  const sign = sort.startsWith("-") ? -1 : 1;
  return kept.toSorted((one, other) => {
    const [a, b] = [column.value(one, paper), column.value(other, paper)];
    // What has no value goes last either way.
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const order =
      typeof a === "number" && typeof b === "number" ? a - b : `${a}`.localeCompare(`${b}`);
    return sign * order;
  });
}

export function claimsCsv(paper: Paper): string {
  return toCsv(
    [
      ...["ref", "claim", "of", "unit", "paper", "measured", "measured_low", "measured_high"],
      ...["measured_words", "ratio", "scale", "hardware", "dtype", "verdict", "why"],
    ],
    paper.rows.flatMap(({ claim, outcomes }) =>
      outcomes.map((one) => {
        const setting = paper.settings[one.setting ?? -1];
        return [
          ...[claim.ref, claim.text, one.of, claim.unit, statedText(claim, statedOf(claim, one))],
          ...[one.measured, one.low, one.high, one.measured_words, one.ratio],
          ...[setting?.scale ?? null, setting?.hardware ?? null, setting?.dtype ?? null],
          ...[one.verdict, one.why],
        ];
      }),
    ),
  );
}
