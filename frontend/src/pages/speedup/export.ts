// What the page's CSV buttons save: the API's figures, exact, under the API's names.

import type {
  AlignedCall,
  Amdahl,
  CategoryShift,
  GroupSpeedup,
  Prediction,
  ShapeSpeedup,
  Speedup,
  UnalignedCall,
} from "../../api/speedup";
import { type Cell, toCsv } from "../../csv";
import { stepsOf } from "./waterfall";

/** Fields of rows in the order of columns. */
function fields<T extends object>(rows: readonly T[], names: readonly (keyof T & string)[]) {
  return toCsv(
    names,
    rows.map((row) => names.map((name) => asCell(row[name]))),
  );
}

function asCell(value: unknown): Cell {
  if (typeof value === "boolean") return String(value);
  return typeof value === "number" || typeof value === "string" ? value : null;
}

export function categoriesCsv(rows: readonly CategoryShift[]): string {
  return fields(rows, [
    "category",
    "baseline_ns",
    "fused_ns",
    "delta_ns",
    "baseline_share",
    "fused_share",
    "speedup",
  ]);
}

/** A line a step: where it begins and ends, and the part in both runs. */
export function waterfallCsv(law: Amdahl): string {
  return toCsv(
    [
      "measure",
      "step",
      "kind",
      "from_ns",
      "to_ns",
      "delta_ns",
      "baseline_ns",
      "fused_ns",
      "speedup",
    ],
    stepsOf(law).map((step) => [
      law.measure,
      step.name,
      step.kind,
      step.from_ns,
      step.to_ns,
      step.part === null ? null : step.to_ns - step.from_ns,
      step.part?.baseline_ns ?? null,
      step.part?.fused_ns ?? null,
      step.speedup,
    ]),
  );
}

/** The measures from end to end, then those of attention. */
export function figuresCsv({ end_to_end, module }: Speedup): string {
  return toCsv(
    ["of", "name", "calls", "baseline_ns", "fused_ns", "speedup", "low", "high"],
    [
      ...end_to_end.map((row) => [
        ...["end_to_end", row.name, null],
        ...[row.baseline_ns, row.fused_ns, row.speedup, row.low, row.high],
      ]),
      ...module.map((row) => [
        ...["attention", row.scope, row.calls],
        ...[row.baseline_ns, row.fused_ns, row.speedup, null, null],
      ]),
    ],
  );
}

const GROUP_FIELDS = [
  "by",
  "name",
  "calls",
  "baseline_ns",
  "fused_ns",
  "speedup",
  "baseline_median_ns",
  "fused_median_ns",
  "median_speedup",
  "low",
  "high",
] as const;

export function groupsCsv(rows: readonly GroupSpeedup[]): string {
  return fields(rows, GROUP_FIELDS);
}

export function shapesCsv(rows: readonly ShapeSpeedup[]): string {
  return fields(rows, [
    ...GROUP_FIELDS,
    "pass",
    "kind",
    "axis",
    "batch",
    "heads",
    "kv_heads",
    "q_len",
    "kv_len",
    "head_dim",
    "v_head_dim",
    "dtype",
    "causal",
    "mask",
    "baseline_implementation",
    "fused_implementation",
  ]);
}

export function alignedCsv(rows: readonly AlignedCall[]): string {
  return fields(rows, [
    "baseline_index",
    "fused_index",
    "pass",
    "component",
    "kind",
    "axis",
    "phase",
    "layer",
    "step",
    "batch",
    "heads",
    "q_len",
    "kv_len",
    "head_dim",
    "baseline_implementation",
    "fused_implementation",
    "baseline_start_ns",
    "fused_start_ns",
    "baseline_ns",
    "fused_ns",
    "speedup",
    "note",
  ]);
}

export function unalignedCsv(rows: readonly UnalignedCall[]): string {
  return fields(rows, [
    "run",
    "index",
    "pass",
    "component",
    "kind",
    "axis",
    "batch",
    "heads",
    "q_len",
    "kv_len",
    "implementation",
    "start_ns",
    "time_ns",
    "reason",
  ]);
}

/** A line an implementation: what it is predicted to take. */
export function predictionCsv({ run, limit_speedup, predicted }: Prediction): string {
  return toCsv(
    [
      "mode",
      "implementation",
      "attention_ns",
      "total_ns",
      "speedup",
      "module_speedup",
      "covered_share",
      "calls",
    ],
    [
      ["recorded", "", run.attention_ns, run.sum_ns, 1, 1, null, run.calls],
      ...predicted.map((row) => [
        ...["predicted", row.implementation, row.attention_ns, row.total_ns],
        ...[row.speedup, row.module_speedup, row.covered_share, row.calls],
      ]),
      ["limit", "", 0, run.sum_ns - run.attention_ns, limit_speedup, null, null, null],
    ],
  );
}

/** A line a shape and implementation. */
export function predictedShapesCsv({ shapes }: Prediction): string {
  return toCsv(
    [
      "name",
      "pass",
      "recorded_implementation",
      "calls",
      "time_ns",
      "implementation",
      "speedup",
      "reason",
    ],
    shapes.flatMap((shape) => {
      const row = [shape.name, shape.pass, shape.implementation, shape.calls, shape.time_ns];
      const told = Object.entries(shape.speedups);
      if (told.length === 0) return [[...row, null, null, shape.reason]];
      return told.map(([name, speedup]) => [...row, name, speedup, shape.reason]);
    }),
  );
}
