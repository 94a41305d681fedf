// What the page's CSV buttons save: the API's figures, exact, under the API's names.

import type { Overview } from "../../api/types";
import { type Cell, toCsv } from "../../csv";
import type { Range } from "../../state/url";
import { inOrder } from "../../theme/colors";
import type { Strips } from "./finer";
import type { Summed } from "./summed";

/** A line for each bin of each run that lies in `range`, of the finer ones where there are any. */
export function stripsCsv(runs: readonly Summed[], range: Range | null, finer: Strips): string {
  const names = inOrder(runs.flatMap((run) => run.overview.strip.categories));
  return toCsv(
    ["run", "basis", "start_ns", "bin_ns", "device_busy_ns", ...names.map((name) => `${name}_ns`)],
    runs.flatMap(({ id, label, overview }) => {
      const first = overview.strip.start_ns;
      const [from, to] = range ?? [0, overview.wall_ns];
      const strip = (range && finer.get(id)) ?? overview.strip;
      return strip.device_busy_ns.flatMap((busy, bin) => {
        const start = strip.start_ns + bin * strip.bin_ns;
        if (start >= first + to || start + strip.bin_ns <= first + from) return [];
        const of = (name: string) => strip.busy_ns[strip.categories.indexOf(name)]?.[bin] ?? 0;
        return [[label, overview.basis, start, strip.bin_ns, busy, ...names.map(of)]];
      });
    }),
  );
}

const USE = ["sum_ns", "busy_ns", "idle_ns", "busy_share", "streams"] as const;

/** A line for each device of each run; one without device figures for a run on the CPU. */
export function runsCsv(runs: readonly Summed[]): string {
  const names = inOrder(runs.flatMap((run) => Object.keys(run.overview.categories)));
  const lines = runs.flatMap(({ label, overview }): Cell[][] => {
    const own = [
      ...names.map((name) => overview.categories[name] ?? 0),
      overview.limit,
      overview.sentence,
      overview.warnings.length,
    ];
    const run = [label, overview.trace, overview.basis, overview.rank, overview.wall_ns];
    if (overview.devices.length === 0) {
      return [[...run, overview.basis_sum_ns, null, null, ...USE.map(() => null), ...own]];
    }
    return overview.devices.map((device) => [
      ...run,
      overview.basis_sum_ns,
      device.index,
      device.name,
      ...USE.map((field) => device[field]),
      ...own,
    ]);
  });
  return toCsv(
    [
      ...["run", "trace", "basis", "rank", "wall_ns", "basis_sum_ns", "device", "device_name"],
      ...USE.map((field) => `device_${field}`),
      ...names.map((name) => `${name}_ns`),
      ...["limit", "sentence", "warnings"],
    ],
    lines,
  );
}

export function waitingCsv(overview: Overview): string {
  return toCsv(
    ["cause", "gaps", "sum_ns", "share"],
    overview.waiting.map((row) => [row.cause, row.gaps, row.sum_ns, row.share]),
  );
}

/** A line for each gap, and one for each thing that the CPU did in it. */
export function gapsCsv(overview: Overview): string {
  const lines = overview.gaps.flatMap((gap, index): Cell[][] => {
    const own = [index + 1, gap.device, gap.start_ns, gap.dur_ns, gap.before, gap.after];
    const why = [gap.cause, gap.reason];
    return [
      [...own, ...why, null, null, null],
      ...gap.cpu.map((each) => [...own, ...why, each.kind, each.name, each.overlap_ns]),
    ];
  });
  return toCsv(
    [
      ...["gap", "device", "start_ns", "dur_ns", "before", "after", "cause", "reason"],
      ...["cpu_kind", "cpu_name", "cpu_overlap_ns"],
    ],
    lines,
  );
}
