// What the page's CSV buttons save: the API's figures, exact, under the API's names.

import type { AxisLayer, FramesSweep } from "../../api/spacetime";
import { type Cell, toCsv } from "../../csv";
import { axesOf } from "./bars";
import type { Spaced } from "./words";

/** A line for each axis of each run. */
export function axesCsv(runs: readonly Spaced[]): string {
  return toCsv(
    [
      ...["run", "basis", "frames", "axis", "calls", "time_ns", "share", "flops", "flops_per_s"],
      ...["q_len_least", "q_len_most", "batch_least", "batch_most", "in_batch"],
    ],
    runs.flatMap(({ label, data }) =>
      axesOf(data).map((row) => [
        ...[label, data.basis, data.frames, row.axis, row.calls, row.time_ns],
        ...[row.share, row.flops, row.flops_per_s],
        ...[...row.q_range, ...row.batch_range, row.in_batch],
      ]),
    ),
  );
}

const LAYER_FIELDS: readonly (keyof AxisLayer)[] = [
  ...(["component", "module", "layer", "axis", "calls"] as const),
  ...(["time_ns", "flops", "q_len", "batch"] as const),
];

export function layersCsv(layers: readonly AxisLayer[]): string {
  return toCsv(
    LAYER_FIELDS,
    layers.map((layer) => LAYER_FIELDS.map((field) => layer[field])),
  );
}

/** Points, fits and crossovers in one table, told apart by its first column. */
export function sweepCsv(sweep: FramesSweep, labelOf: (id: string) => string): string {
  const points = sweep.points.map((point): Cell[] => [
    ...["point", labelOf(point.run), point.axis, null, point.frames],
    ...[point.time_ns, point.flops, point.calls, null, null, null],
  ]);
  const fits = sweep.fits.map((fit): Cell[] => [
    ...["fit", null, fit.axis, fit.of, null, null, null, null],
    ...[fit.exponent, fit.factor, null],
  ]);
  const crossovers = sweep.crossovers.map((each): Cell[] => [
    ...["crossover", null, null, each.of, each.frames, null, null, null, null, null],
    each.measured ? "measured" : "predicted",
  ]);
  return toCsv(
    [
      ...["row", "run", "axis", "of", "frames", "time_ns", "flops", "calls"],
      ...["exponent", "factor", "how"],
    ],
    [...points, ...fits, ...crossovers],
  );
}
