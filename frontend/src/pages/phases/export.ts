// What the page's CSV buttons save: the API's figures, exact, under the API's names.

import type { PhaseRow, ServedStep, Stretch } from "../../api/phases";
import { type Cell, toCsv } from "../../csv";
import type { Range } from "../../state/url";
import type { Phased } from "./phased";

const PHASE_FIELDS = [
  ...["sum_ns", "busy_ns", "share", "device_busy_share", "attention_ns", "attention_share"],
  ...["calls", "rounds", "tokens", "intensity", "intensity_share"],
] as (keyof PhaseRow)[];

/** A line for each phase of each run, and one for each reason. */
export function phasesCsv(runs: readonly Phased[]): string {
  return toCsv(
    ["run", "phase", ...PHASE_FIELDS, "reason", "reason_calls"],
    runs.flatMap(({ label, phases }) =>
      phases.phases.flatMap((row): Cell[][] => [
        [label, row.phase, ...PHASE_FIELDS.map((field) => row[field] as Cell), null, null],
        ...Object.entries(row.reasons).map(([reason, calls]): Cell[] => [
          label,
          row.phase,
          ...PHASE_FIELDS.map(() => null),
          reason,
          calls,
        ]),
      ]),
    ),
  );
}

const STRETCH_FIELDS: readonly (keyof Stretch)[] = [
  ...(["phase", "component", "start_ns", "dur_ns", "rounds", "reason"] as const),
];

/** A line for each stretch that is in `range`, from the start of each timeline. */
export function stretchesCsv(runs: readonly Phased[], range: Range | null): string {
  return toCsv(
    ["run", ...STRETCH_FIELDS],
    runs.flatMap(({ label, phases, overview }) => {
      const first = overview.strip.start_ns;
      const [from, to] = range ?? [-Infinity, Infinity];
      return phases.stretches
        .filter(({ start_ns, dur_ns }) => start_ns < first + to && start_ns + dur_ns > first + from)
        .map((stretch) => [label, ...STRETCH_FIELDS.map((field) => stretch[field])]);
    }),
  );
}

/** A line for each figure of each run that has it. */
export function figuresCsv(runs: readonly Phased[]): string {
  const lines = runs.flatMap(({ label, phases }): Cell[][] => [
    ...(["time_to_first_token_ns", "time_per_token_ns"] as const).map((field) => [
      ...[label, field, null, null],
      ...[null, null, phases[field]],
    ]),
    ...phases.paces.map((pace) => [
      ...[label, "pace", pace.component, pace.phase],
      ...[pace.rounds, pace.total_ns, pace.median_ns],
    ]),
  ]);
  return toCsv(
    ["run", "figure", "component", "phase", "rounds", "total_ns", "value_ns"],
    lines.filter((line) => line.at(-1) !== null),
  );
}

const SERVED_FIELDS: readonly (keyof ServedStep)[] = [
  ...(["name", "start_ns", "dur_ns", "phase"] as const),
  ...(["prefills", "decodes", "prefill_tokens", "decode_tokens"] as const),
];

export function servedCsv(steps: readonly ServedStep[]): string {
  return toCsv(
    SERVED_FIELDS,
    steps.map((step) => SERVED_FIELDS.map((field) => step[field])),
  );
}
