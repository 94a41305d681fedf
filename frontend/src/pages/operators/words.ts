// The sentences of the page. Every figure in them is a field of the API.

import type { Basis, CategoryBar, Comparison, Operators, RunBar } from "../../api/types";
import { duration, factor, percent } from "../../format";
import type { Scale } from "../../state/url";

const BASES: Readonly<Record<Basis, string>> = {
  device: "device time",
  cpu_self: "CPU self time",
};

const COUNTED: Readonly<Record<Basis, string>> = {
  device:
    "the durations of all kernels, copies and sets on the device (those that overlap count each)",
  cpu_self:
    "the self time of CPU operators (their duration less that of the operators directly inside), " +
    "since the trace has no device event",
};

/** More runs than this make a sentence too long to read. */
const MAX_NAMED = 2;

/** What a basis is called. */
export function basisName(basis: Basis): string {
  return BASES[basis];
}

export interface Headline {
  sentence: string;
  detail: string;
}

/** The largest category of the base, and what became of it in the other runs. */
export function headline(comparison: Comparison): Headline {
  const [base, ...others] = comparison.runs;
  const first = base && largest(base);
  if (base === undefined || first === undefined) {
    return { sentence: `${base?.run ?? "This run"} holds no time to show.`, detail: "" };
  }
  const takes = `${first.category} takes ${percent(first.share)} % of ${basisName(base.basis)}`;
  if (others.length === 0) {
    return { sentence: `${takes}.`, detail: `${duration(base.basis_sum_ns)} in all${next(base)}.` };
  }
  const named = others.slice(0, MAX_NAMED);
  const rest = others.length - named.length;
  const changes = named.map((run) => change(run, base, first));
  const more = rest > 0 ? `; ${rest} more below` : "";
  return {
    sentence: `${takes} in ${base.run}; ${changes.join("; ")}${more}.`,
    detail: `${named.map((run) => against(run, base)).join(" ")}`,
  };
}

function change(run: RunBar, base: RunBar, first: CategoryBar): string {
  const now = run.categories.find((bar) => bar.category === first.category);
  const top = largest(run);
  const of = run.basis === base.basis ? "" : ` of ${basisName(run.basis)}`;
  const share = `in ${run.run} ${percent(now?.share ?? 0)} %${of}`;
  return top && top.category !== first.category
    ? `${share}, and ${top.category} becomes the largest`
    : share;
}

function against(run: RunBar, base: RunBar): string {
  const times = `${run.run}: ${duration(run.basis_sum_ns)} against ${duration(base.basis_sum_ns)}`;
  return run.speedup === null ? `${times}.` : `${times}, ${factor(run.speedup)} as fast.`;
}

function next(run: RunBar): string {
  const [, ...others] = bySize(run).filter((bar) => bar.sum_ns > 0);
  const named = others.slice(0, 2).map((bar) => `${bar.category} ${percent(bar.share)} %`);
  return named.length > 0 ? `; then ${named.join(" and ")}` : "";
}

function largest(run: RunBar): CategoryBar | undefined {
  const [first] = bySize(run);
  return first && first.sum_ns > 0 ? first : undefined;
}

function bySize(run: RunBar): CategoryBar[] {
  return run.categories.toSorted((a, b) => b.sum_ns - a.sum_ns);
}

/** What the bars count and where the figures come from. */
export function caption(comparison: Comparison, scale: Scale): string {
  const bases = [...new Set(comparison.runs.map((run) => run.basis))];
  const counted = bases.map((basis) => {
    const who = comparison.runs.filter((run) => run.basis === basis).map((run) => run.run);
    return bases.length === 1
      ? `A bar adds up ${COUNTED[basis]}.`
      : `The bars of ${who.join(", ")} add up ${COUNTED[basis]}.`;
  });
  const lengths =
    scale === "relative" && comparison.runs.length > 1
      ? ` Lengths are relative to ${comparison.base}.`
      : "";
  const dots = comparison.runs.some((run) => run.unlinked_ns > 0)
    ? " Dotted: device events without a launch in the trace, whose kernel name gives the " +
      "category; they are part of its share."
    : "";
  const shares = " Figures in the bars are a category's share of its run.";
  return `${counted.join(" ")}${lengths}${shares}${dots} From the trace files.`;
}

/** The facts that every figure of a trace stands on. */
export function facts(operators: Operators): { name: string; value: string; hint: string }[] {
  const { device_sum_ns, device_busy_ns, unlinked_ns } = operators;
  const time = (name: string, ns: number, hint: string) => ({ name, value: duration(ns), hint });
  const devices = operators.devices.map((device) => device.name || "unknown device");
  return [
    {
      name: "Counted",
      value: basisName(operators.basis),
      hint: `The figures add up ${COUNTED[operators.basis]}.`,
    },
    time("sum", operators.basis_sum_ns, "Shares are of this sum."),
    ...(operators.basis === "device"
      ? [
          time("busy", device_busy_ns, "Overlapping device events counted once, over all devices."),
          time("unlinked", unlinked_ns, "Device events without a launch in the trace."),
        ]
      : []),
    ...(operators.basis === "device" && device_sum_ns !== operators.basis_sum_ns
      ? [time("device", device_sum_ns, "All kernels, copies and sets.")]
      : []),
    time("wall", operators.wall_ns, "From the first event's start to the last one's end."),
    ...(devices.length > 0
      ? [
          {
            name: devices.length === 1 ? "on" : `on ${devices.length} devices:`,
            value: [...new Set(devices)].join(", "),
            hint: "As the trace names it.",
          },
        ]
      : []),
    ...(operators.rank === null
      ? []
      : [{ name: "rank", value: String(operators.rank), hint: "As the trace says." }]),
  ];
}
