// What the page's CSV buttons save: the API's figures, exact, under the API's names.

import type { Comparison, ModuleRow, Operators, PassRow, Row } from "../../api/types";
import { type Cell, toCsv } from "../../csv";
import { inOrder } from "../../theme/colors";
import { asRow } from "./columns";

const FIGURES = [
  "sum_ns",
  "busy_ns",
  "unlinked_ns",
  "share",
  "launches",
  "host_launches",
  "calls",
] as const;

const WORK = ["flops", "moved_bytes", "flops_per_s", "intensity"] as const;

const BAR_FIELDS = ["sum_ns", "unlinked_ns", "share", "relative", "delta_ns", "speedup"] as const;

/** A line for each category of each run. */
export function comparisonCsv(comparison: Comparison): string {
  return toCsv(
    ["run", "basis", "category", ...BAR_FIELDS],
    comparison.runs.flatMap((run) =>
      run.categories.map((bar) => [
        run.run,
        run.basis,
        bar.category,
        ...BAR_FIELDS.map((field) => bar[field]),
      ]),
    ),
  );
}

/** A line for each row of the drill-down, at every level, with the names of those above it. */
export function operatorsCsv(operators: Operators): string {
  const lines: Cell[][] = [];
  const walk = (row: Row, path: Record<string, string>, isRoot: boolean) => {
    const place = isRoot ? "category" : row.level === "category" ? "sub_category" : row.level;
    const here = { ...path, [place]: row.name };
    lines.push([
      place,
      ...PLACES.map((each) => here[each] ?? null),
      row.rule,
      ...FIGURES.map((field) => row[field]),
      ...WORK.map((field) => row[field] ?? null),
    ]);
    for (const child of row.children) walk(child, here, false);
  };
  for (const category of operators.categories) walk(asRow(category), {}, true);
  return toCsv(["level", ...PLACES, "rule", ...FIGURES, ...WORK], lines);
}

const PLACES = ["category", "sub_category", "op", "kernel"] as const;

export function passesCsv(rows: readonly PassRow[]): string {
  const names = categoriesOf(rows);
  return toCsv(
    ["pass", ...FIGURES, ...names.map((name) => `${name}_ns`)],
    rows.map((row) => [
      row.pass,
      ...FIGURES.map((field) => row[field]),
      ...names.map((name) => row.categories[name] ?? 0),
    ]),
  );
}

export function modulesCsv(rows: readonly ModuleRow[]): string {
  const names = categoriesOf(rows);
  return toCsv(
    ["path", "name", "depth", "self_ns", ...FIGURES, ...names.map((name) => `${name}_ns`)],
    rows.map((row) => [
      row.path,
      row.name,
      row.depth,
      row.self_ns,
      ...FIGURES.map((field) => row[field]),
      ...names.map((name) => row.categories[name] ?? 0),
    ]),
  );
}

function categoriesOf(rows: readonly { categories: Record<string, number> }[]): string[] {
  return inOrder(rows.flatMap((row) => Object.keys(row.categories)));
}
