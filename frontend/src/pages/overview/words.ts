// The sentences of the page. Every figure in them is a field of the API.

import type { Overview } from "../../api/types";
import type { Axis } from "../../state/url";
import type { Summed } from "./summed";

/** What each cause of waiting means. */
export const CAUSES: Readonly<Record<string, string>> = {
  launch: "The CPU had not launched the next kernel yet",
  sync: "The CPU waited for the device before it went on",
  data: "The CPU was loading data",
  queue: "The next kernel was launched, but had not started",
  unknown: "The next kernel's launch is not in the trace",
};

/** More runs than this make a line too long to read. */
const MAX_NAMED = 2;

export interface Headline {
  sentence: string;
  detail: string;
}

/** What limits the base, and the same of the next runs. */
export function headline(runs: readonly Summed[]): Headline {
  const [base, ...others] = runs;
  if (base === undefined) return { sentence: "", detail: "" };
  if (others.length === 0) return { sentence: base.overview.sentence, detail: "" };
  const named = others.slice(0, MAX_NAMED);
  const rest = others.length - named.length;
  const said = named.map((run) => `${run.label}: ${run.overview.sentence}`);
  return {
    sentence: `${base.label}: ${base.overview.sentence}`,
    detail: `${said.join(" ")}${rest > 0 ? ` ${rest} more below.` : ""}`,
  };
}

/** The devices of a run by name, equal ones counted. */
export function deviceNames(overview: Overview): string {
  if (overview.basis !== "device") return "CPU only";
  const counts = new Map<string, number>();
  for (const device of overview.devices) {
    const name = device.name || "unknown device";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, n]) => (n > 1 ? `${n} × ${name}` : name)).join(", ");
}

/** Whose steps are numbered: the profiler's, or those that a component counts. */
function steps(runs: readonly Summed[]): string {
  const names = runs.flatMap((run) => run.overview.steps.map((step) => step.name));
  const whose = names.map((name) => /^(.*) step \d+$/.exec(name)?.[1] ?? "the profiler");
  return `the steps of ${[...new Set(whose)].join(" and of ")}, counted from 0`;
}

/** What the strips count and where the figures come from. */
export function caption(runs: readonly Summed[], axis: Axis, isFiltered: boolean): string {
  const isOnDevice = (run: Summed) => run.overview.basis === "device";
  const parts: string[] = [];
  if (runs.some(isOnDevice)) {
    parts.push(
      "Height is the part of a bin in which the device was busy; kernels that overlap count once, " +
        "and where categories overlap they share the height. " +
        (isFiltered ? "Empty is idle, or work outside of the filters." : "Empty is idle."),
    );
  }
  const onCpu = runs.filter((run) => !isOnDevice(run));
  if (onCpu.length > 0) {
    const who =
      onCpu.length === runs.length ? "" : ` of ${onCpu.map((run) => run.label).join(", ")}`;
    parts.push(
      `The strip${who} shows the self time of CPU operators: without device events there is ` +
        "no idle time and no gap.",
    );
  }
  if (runs.some((run) => run.overview.steps.length > 0)) {
    parts.push(`Above a strip: ${steps(runs)}.`);
  }
  if (runs.some((run) => run.overview.gaps.length > 0)) {
    parts.push("Below it: the largest gaps, numbered as in the table.");
  }
  if (runs.length > 1) {
    parts.push(
      axis === "shared"
        ? "All runs have one scale of time."
        : "Each run fills the width, so lengths cannot be compared.",
    );
  }
  return `${parts.join(" ")} From the trace files.`;
}
