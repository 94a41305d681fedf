// What the page's CSV buttons save: the API's figures, exact, under the API's names.

import type { Block, MemorySeries, Stage, StepMemory } from "../../api/memory";
import { type Cell, toCsv } from "../../csv";
import { CURVES, type Grown } from "./curves";

const STAGE: readonly Exclude<keyof Stage, "implementations" | "fused" | "denoiser">[] = [
  ...(["component", "phase", "kind", "axis", "dtype", "level", "batch", "heads"] as const),
  ...(["matrices", "q_len", "kv_len", "kv_len_least", "calls", "calls_per_step"] as const),
  ...(["paper_calls", "paper_bytes", "one_head_call_bytes", "one_head_bytes"] as const),
  ...(["real_call_bytes", "real_bytes", "recorded_calls", "product_bytes"] as const),
  ...(["softmax_bytes", "recorded_dtype", "measured_largest_bytes"] as const),
  ...(["measured_call_peak_bytes", "measured_bytes", "kept_bytes"] as const),
];

export function stagesCsv(stages: readonly Stage[]): string {
  return toCsv(
    [...STAGE, "implementations"],
    stages.map((stage) => [
      ...STAGE.map((field) => stage[field]),
      Object.entries(stage.implementations)
        .map(([name, calls]) => `${name} ${calls}`)
        .join("; "),
    ]),
  );
}

const FIGURES = CURVES.map(({ of }) => of);

/** Sizes and fits in one table, told apart by its first column. */
export function growthCsv(grown: Grown, labelOf: (id: string) => string): string {
  const { points, fits } = grown;
  const nothing = FIGURES.map((): Cell => null);
  return toCsv(
    [
      ...["row", "run", "image_size_px", "latent_side", ...FIGURES, "of", "unit", "from_size"],
      ...["to_size", "points", "exponent", "factor", "largest_deviation"],
    ],
    [
      ...points.map((point): Cell[] => [
        ...["size", point.run === null ? null : labelOf(point.run)],
        ...[point.image_size_px, point.latent_side],
        ...FIGURES.map((of) => point[of] ?? null),
        ...[null, null, null, null, null, null, null, null],
      ]),
      ...fits.map((fit): Cell[] => [
        ...["fit", null, null, null, ...nothing],
        ...[fit.of, fit.unit, fit.from_size, fit.to_size, fit.points],
        ...[fit.exponent, fit.factor, fit.largest_deviation],
      ]),
    ],
  );
}

export function timeCsv(series: MemorySeries): string {
  const names = Object.keys(series.categories);
  return toCsv(
    ["at_ns", "allocated_bytes", "reserved_bytes", ...names],
    series.at_ns.map((ns, at) => [
      ...[ns, series.allocated_bytes[at] ?? null, series.reserved_bytes[at] ?? null],
      ...names.map((name) => series.categories[name]?.[at] ?? null),
    ]),
  );
}

/** A line for each step and category that is alive at its peak. */
export function stepsCsv(steps: readonly StepMemory[]): string {
  return toCsv(
    [
      ...["index", "name", "start_ns", "end_ns", "peak_bytes", "peak_ns", "end_bytes"],
      ...["allocated_bytes", "category", "bytes", "blocks"],
    ],
    steps.flatMap((step) =>
      step.categories.map((row) => [
        ...[step.index, step.name, step.start_ns, step.end_ns, step.peak_bytes, step.peak_ns],
        ...[step.end_bytes, step.allocated_bytes, row.category, row.bytes, row.blocks],
      ]),
    ),
  );
}

const BLOCK: readonly (keyof Block)[] = [
  ...(["bytes", "category", "op", "component", "module", "allocated_ns", "freed_ns"] as const),
];

export function blocksCsv(blocks: readonly Block[]): string {
  return toCsv(
    BLOCK,
    blocks.map((block) => BLOCK.map((field) => block[field])),
  );
}
