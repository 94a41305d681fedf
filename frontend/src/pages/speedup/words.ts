// What the page says: captions that state what is counted, and words for the measures.

import type { Amdahl, Bottleneck, RunSide, Speedup } from "../../api/speedup";
import type { Basis } from "../../api/types";
import { count, factor, percent } from "../../format";
import { titleOf } from "../../theme/kinds";

/** Measures from end to end: a title, and what is measured. */
export const MEASURES: Readonly<Record<string, readonly [string, string]>> = {
  unprofiled: [
    "Wall, without profiler",
    "Wall time of the whole call without a profiler, median; low and high are of single repeats",
  ],
  wall: [
    "Wall, recording",
    "First event's start to last event's end, with the profiler's own cost",
  ],
  busy: ["Busy", "What the basis counts, overlapping time counted once, added over devices"],
  sum: ["Sum", "What the basis counts, added up"],
  step: ["Step", "Median time of a step"],
};

/** What is compared of attention itself. */
export const SCOPES: Readonly<Record<string, readonly [string, string]>> = {
  category: ["Category Attention", "All time of the category Attention"],
  aligned: [
    "Aligned calls",
    "The calls that both runs have: their kernels, or without a device the whole time of their ops",
  ],
};

/** A speedup as it is shown: 2.31×, or a dash where it is not known. */
export function speedupText(value: number | null): string {
  return value === null ? "–" : factor(value);
}

/** What the time of a basis is. */
export function counted(basis: Basis | null): string {
  return basis === "device"
    ? "durations of kernels, copies and sets on the device, added up"
    : "CPU self time of operators, added up";
}

/** The line below the headline. */
export function detail(speedup: Speedup): string {
  const sides = [`baseline ${sideWords(speedup.baseline)}`, `fused ${sideWords(speedup.fused)}`];
  return `${sides.join("; ")}. ${alignedWords(speedup)}`;
}

function alignedWords(speedup: Speedup): string {
  const apart = speedup.unaligned_baseline + speedup.unaligned_fused;
  const both = speedup.aligned === 1 ? "1 call" : `${count(speedup.aligned)} calls`;
  if (speedup.aligned + apart === 0) return "Neither run has attention calls.";
  if (apart === 0) return `All ${both} of attention aligned.`;
  return `${both} of attention aligned, ${count(apart)} not.`;
}

/** Device, implementations and data types of a run. */
export function sideWords(side: RunSide): string {
  const words = [
    side.devices.join(", "),
    ...Object.keys(side.implementations),
    ...Object.keys(side.dtypes),
  ];
  return (
    words.filter((word) => word !== "" && word !== "unknown").join(", ") || "without attention"
  );
}

/** The largest category before and after. */
export function bottleneckWords({ before, before_share, after, after_share }: Bottleneck): string {
  const [first, last] = [`${percent(before_share)} %`, `${percent(after_share)} %`];
  return before === after
    ? `${before} is the largest category before and after: ${first}, then ${last}.`
    : `The largest category was ${before} (${first}) and is now ${after} (${last}).`;
}

export function barsCaption(speedup: Speedup, isRelative: boolean): string {
  const scale = isRelative ? "; 100 % is all time of the baseline" : "";
  return (
    `Time by category: ${counted(speedup.basis)}${scale}. An outline is the baseline, ` +
    "a filled bar the fused run. Both recorded with the profiler."
  );
}

/** What the two measures of the explanation are. */
export const LAWS: Readonly<Record<string, { title: string; hint: string; of: string }>> = {
  sum: {
    title: "Counted time",
    hint: "The time that categories add up to",
    of: "the time that all categories add up to",
  },
  wall: {
    title: "Wall time",
    hint: "With idle time, and what overlapped taken off",
    of:
      "wall time of the recording, times the number of devices: idle is time in which nothing " +
      "that is counted ran, overlap what ran beside something else and so took no wall time",
  },
};

export function lawCaption(law: Amdahl): string {
  const of = LAWS[law.measure]?.of ?? law.measure;
  return (
    `From the baseline's time to the fused run's, part by part: ${of}. The parts add up exactly. ` +
    `Amdahl's law: attention took ${percent(law.attention_share)} % of the baseline and became ` +
    `${speedupText(law.module_speedup)} as fast, which predicts ` +
    `${speedupText(law.predicted_speedup)} (hatched); without any attention ` +
    `${speedupText(law.limit_speedup)}; measured ${speedupText(law.measured_speedup)}.`
  );
}

export function shapesCaption(speedup: Speedup): string {
  const time = speedup.basis === "device" ? "time of its kernels" : "whole time of its operators";
  return (
    "A mark a shape of aligned calls: the median of their speedups, of a call the baseline's " +
    `${time} over the fused run's, against q_len × kv_len. Its area is the baseline's time, added ` +
    "up; colour and shape are the kind, what is inside is the axis. Above the line at 1 the fused run is faster."
  );
}

/** The name of a group; null is what nothing tells. */
export function groupName(name: string | null): string {
  return titleOf(name, "not known");
}
