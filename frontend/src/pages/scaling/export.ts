// What the page's CSV buttons save: the API's figures, exact, under the API's names.

import type {
  Amount,
  ScalingCrossover,
  ScalingFit,
  ScalingPoint,
  ScalingSweep,
} from "../../api/scaling";
import { toCsv } from "../../csv";

const AMOUNT: readonly (keyof Amount)[] = [
  ...(["group", "name", "component", "time_ns", "flops", "unknown_ns", "moved_bytes"] as const),
  ...(["score_bytes", "written_score_bytes", "calls"] as const),
];

const RUN: readonly (keyof ScalingPoint)[] = [
  ...(["value", "label", "implementation", "steps"] as const),
  ...(["unknown_share", "largest_score_bytes", "peak_memory_bytes"] as const),
];

const FIT: readonly (keyof ScalingFit)[] = [
  ...(["group", "name", "component", "metric", "points", "runs", "exponent", "error"] as const),
  ...(["slope", "factor", "r2", "deviation", "share", "reason"] as const),
];

const CROSSOVER: readonly Exclude<keyof ScalingCrossover, "between" | "measured">[] = [
  ...(["group", "component", "metric", "upper", "lower", "value", "label"] as const),
  ...(["low", "high", "upper_exponent", "lower_exponent", "points"] as const),
];

/** A line for each part of each run. */
export function pointsCsv(sweep: ScalingSweep, labelOf: (id: string) => string): string {
  return toCsv(
    ["run", "role", ...RUN.map((field) => (field === "label" ? "size" : field)), ...AMOUNT],
    sweep.lines.flatMap((line) =>
      line.points.flatMap((point) =>
        point.amounts.map((amount) => [
          ...[labelOf(point.run), line.role],
          ...RUN.map((field) => point[field] as string | number | null),
          ...AMOUNT.map((field) => amount[field]),
        ]),
      ),
    ),
  );
}

export function fitsCsv(sweep: ScalingSweep): string {
  return toCsv(
    ["role", "attention", ...FIT],
    sweep.lines.flatMap((line) =>
      line.fits.map((fit) => [line.role, line.attention, ...FIT.map((field) => fit[field])]),
    ),
  );
}

export function crossoversCsv(sweep: ScalingSweep): string {
  return toCsv(
    ["role", "attention", ...CROSSOVER, "how", "between_low", "between_high"],
    sweep.lines.flatMap((line) =>
      line.crossovers.map((each) => [
        ...[line.role, line.attention, ...CROSSOVER.map((field) => each[field])],
        each.measured ? "measured" : "predicted",
        ...(each.between ?? [null, null]),
      ]),
    ),
  );
}
