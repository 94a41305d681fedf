// The sentences of the page, and the figures that stand beside each other. Every figure in them is
// a field of the API.

import type { Pace } from "../../api/phases";
import { count, duration, exactDuration } from "../../format";
import type { Axis } from "../../state/url";
import { titleOf } from "../../theme/kinds";
import type { Phased } from "./phased";

/** More runs than this make a line too long to read. */
const MAX_NAMED = 2;

export const NO_STRETCHES =
  "When each phase ran is not known: neither components nor modules were recorded. Record with " +
  "genscope.collect, or with modules (with_stack=True), to see it.";

export interface Headline {
  sentence: string;
  detail: string;
}

export function headline(runs: readonly Phased[]): Headline {
  const [base, ...others] = runs;
  if (base === undefined) return { sentence: "", detail: "" };
  if (others.length === 0) return { sentence: base.phases.sentence, detail: "" };
  const said = others.slice(0, MAX_NAMED).map((run) => `${run.label}: ${run.phases.sentence}`);
  const rest = others.length - said.length;
  return {
    sentence: `${base.label}: ${base.phases.sentence}`,
    detail: `${said.join(" ")}${rest > 0 ? ` ${rest} more below.` : ""}`,
  };
}

/** What the strips show and where the figures come from. */
export function caption(runs: readonly Phased[], axis: Axis): string {
  const onDevice = runs.some((run) => run.overview.basis === "device");
  const parts = [
    "A box is a stretch of neighbouring rounds of one component, from the start to the end of " +
      (onDevice
        ? "their work on the device, which the CPU launched before (of their code on the CPU where " +
          "they have none there)."
        : "their code on the CPU."),
  ];
  if (runs.some((run) => run.phases.served.length > 0)) {
    parts.push("Framed below: the steps that a serving engine tells of, as the CPU ran them.");
  }
  parts.push(
    onDevice
      ? "The lower lane is how busy the device was (CPU self time where there is none), attention " +
          "orange, all else grey."
      : "The lower lane is the self time of CPU operators, attention orange, all else grey.",
    "Shares are of the sum of " +
      `${onDevice ? "device time, or CPU self time without a device" : "CPU self time"}; intensity is ` +
      "FLOPs over bytes moved, of attention and products whose shapes are known.",
  );
  if (runs.length > 1) {
    parts.push(
      axis === "shared"
        ? "All runs have one scale of time."
        : "Each run fills the width, so lengths cannot be compared.",
    );
  }
  return `${parts.join(" ")} From the trace files.`;
}

/** A figure of a run as it is shown, and exact. */
export interface Figure {
  text: string;
  exact: string;
}

/** One figure of all runs; null where a run does not have it. */
export interface FigureRow {
  name: string;
  hint: string;
  values: (Figure | null)[];
}

function time(ns: number): Figure {
  return { text: duration(ns), exact: exactDuration(ns) };
}

/** Rounds that make a pace, and what each is called: encoders run now and then, for each prompt. */
const ROUNDS: Readonly<Record<string, string>> = {
  prefill: "time per prefill round",
  decode: "time per decoding round",
  denoise: "time per denoising step",
  parallel_decode: "time per parallel step",
  mixed: "time per mixed round",
};

function hasPace(pace: Pace): boolean {
  return pace.phase in ROUNDS;
}

function paceName(pace: Pace): string {
  const name = ROUNDS[pace.phase] ?? "";
  return pace.component === null ? name : `${name}, ${pace.component}`;
}

/** The figures of all runs side by side; those that no run has are left out. */
export function figuresOf(runs: readonly Phased[]): FigureRow[] {
  const single: FigureRow[] = [
    {
      name: "time to first token",
      hint:
        "From where the CPU calls the first prompt's round to the end of the last work of its " +
        "prefill, on the device where there is one",
      values: runs.map(({ phases: { time_to_first_token_ns: ns } }) =>
        ns === null ? null : time(ns),
      ),
    },
    {
      name: "time per token",
      hint: "Median time between the starts of rounds that decode, of their device work where there is any",
      values: runs.map(({ phases: { time_per_token_ns: ns } }) => (ns === null ? null : time(ns))),
    },
  ];
  return [...single, ...paceRows(runs), ...tokenRows(runs)].filter((row) =>
    row.values.some((value) => value !== null),
  );
}

function paceRows(runs: readonly Phased[]): FigureRow[] {
  const names = new Set(runs.flatMap((run) => run.phases.paces.filter(hasPace).map(paceName)));
  return [...names].map((name) => ({
    name,
    hint:
      "Median time between the starts of neighbouring rounds of this component, of their device " +
      "work where there is any",
    values: runs.map((run) => {
      const pace = run.phases.paces.find((each) => hasPace(each) && paceName(each) === name);
      if (pace === undefined) return null;
      const rounds = `${count(pace.rounds)} rounds in`;
      return {
        text: `${duration(pace.median_ns)} (${rounds} ${duration(pace.total_ns)})`,
        exact: `${exactDuration(pace.median_ns)}, ${rounds} ${exactDuration(pace.total_ns)}`,
      };
    }),
  }));
}

function tokenRows(runs: readonly Phased[]): FigureRow[] {
  const phases = new Set(runs.flatMap((run) => run.phases.phases.map((row) => row.phase)));
  return [...phases].map((phase) => ({
    name: `tokens, ${titleOf(phase, "no phase")}`,
    hint: "Query tokens of one layer, added over the rounds",
    values: runs.map((run) => {
      const tokens = run.phases.phases.find((row) => row.phase === phase)?.tokens ?? null;
      return tokens === null ? null : { text: count(tokens), exact: `${count(tokens)} tokens` };
    }),
  }));
}

/** The pace that a phase's row shows: of the component that has most rounds in it. */
export function paceOf(run: Phased, phase: string | null): Pace | null {
  const own = run.phases.paces.filter((pace) => pace.phase === phase && hasPace(pace));
  return own.toSorted((a, b) => b.rounds - a.rounds)[0] ?? null;
}
