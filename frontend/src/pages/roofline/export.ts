// What the page's CSV buttons save: the API's figures, exact, under the API's names.

import type { Capacity } from "../../api/roofline";
import { type Cell, toCsv } from "../../csv";
import { type Level, type Roofed, rowsOf } from "./points";

const FIGURES = [
  ...(["name", "calls", "launches", "time_ns", "covered", "flops", "moved_bytes"] as const),
  ...(["intensity", "flops_per_s", "bytes_per_s", "roof_ns", "roof_flops_per_s"] as const),
  ...(["efficiency", "saving_ns", "bound"] as const),
];
const OF_OP = ["category", "dtype", "shapes"] as const;
const CAPACITY = [
  ...(["component", "parameters", "parameter_bytes", "calls", "flops", "intensity"] as const),
  ...(["intensity_per_call", "moved_intensity"] as const),
];

/** A line for each row of a level of each run, also of those that are not drawn. */
export function rowsCsv(runs: readonly Roofed[], level: Level): string {
  const ofOp = level === "op" ? OF_OP : [];
  return toCsv(
    ["run", "device", ...FIGURES, ...ofOp],
    runs.flatMap((run) =>
      rowsOf(run.data, level).map((row): Cell[] => [
        run.label,
        run.data.device?.name ?? null,
        ...FIGURES.map((field) => row[field]),
        ...ofOp.map((field) => row[field] ?? null),
      ]),
    ),
  );
}

export function capacityCsv(runs: readonly Roofed[]): string {
  return toCsv(
    ["run", ...CAPACITY],
    runs.flatMap((run) =>
      run.data.capacity.map((row: Capacity): Cell[] => [
        run.label,
        ...CAPACITY.map((field) => row[field]),
      ]),
    ),
  );
}
