// The work behind the rows of the drill-down, which comes a while after their times.

import type { OperatorWork, RowWork } from "../../api/roofline";
import type { Operators, Row } from "../../api/types";

/** `operators` with the FLOPs, bytes and rates of its categories and ops. */
export function withWork(operators: Operators, work: OperatorWork | null): Operators {
  if (work === null || work.rows.length === 0) return operators;
  const found = new Map(work.rows.map((row) => [JSON.stringify(row.path), row]));
  const inside = (rows: readonly Row[], path: readonly string[]): Row[] =>
    rows.map((row) => {
      if (row.level === "kernel") return row;
      const own = [...path, row.name];
      return { ...row, ...figures(found, own), children: inside(row.children, own) };
    });
  return {
    ...operators,
    categories: operators.categories.map((row) => ({
      ...row,
      ...figures(found, [row.category]),
      children: inside(row.children, [row.category]),
    })),
  };
}

function figures(found: ReadonlyMap<string, RowWork>, path: readonly string[]) {
  const work = found.get(JSON.stringify(path));
  if (work === undefined) return {};
  const { flops, moved_bytes, flops_per_s, intensity } = work;
  return { flops, moved_bytes, flops_per_s, intensity };
}
