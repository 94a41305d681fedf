// A run beside the base: rows of both by name. Differences are those that the comparison gives,
// for categories; below them both figures stand side by side.

import type { CategoryBar, Operators, Row } from "../../api/types";
import type { Column } from "../../components/TreeTable";
import { type Cell, toCsv } from "../../csv";
import {
  count,
  exactDuration,
  exactPercent,
  factor,
  inUnit,
  percent,
  type TimeUnit,
  timeUnit,
} from "../../format";
import { type Node, toNodes } from "../../table/model";
import { asRow } from "./columns";
import type { Against } from "./Tables";

/** A row of the run and the base's row of the same place; null where one has none. */
export interface Pair {
  name: string;
  level: Row["level"];
  own: Row | null;
  base: Row | null;
  /** The comparison's figures, for the categories. */
  bar: CategoryBar | null;
}

export function differenceNodes(operators: Operators, against: Against): Node<Pair>[] {
  const bars = against.comparison.runs[against.index]?.categories ?? [];
  const own = operators.categories.map(asRow);
  return pairNodes(own, against.base.categories.map(asRow), (name) =>
    bars.find((bar) => bar.category === name),
  );
}

function pairNodes(
  own: readonly Row[],
  base: readonly Row[],
  barOf: (name: string) => CategoryBar | undefined = () => undefined,
): Node<Pair>[] {
  const known = new Map(base.map((row) => [row.name, row]));
  const pairs: Pair[] = own.map((row) => ({
    name: row.name,
    level: row.level,
    own: row,
    base: known.get(row.name) ?? null,
    bar: barOf(row.name) ?? null,
  }));
  const names = new Set(own.map((row) => row.name));
  for (const row of base) {
    if (names.has(row.name)) continue;
    const { name, level } = row;
    pairs.push({ name, level, own: null, base: row, bar: barOf(name) ?? null });
  }
  return toNodes(
    pairs,
    (pair) => pair.name,
    (pair) => pairNodes(pair.own?.children ?? [], pair.base?.children ?? []),
  );
}

const NOTHING = "–";

interface Figure {
  id: string;
  title: string;
  hint: string;
  width: number;
  value: (pair: Pair) => number | null;
  show: (value: number) => string;
  exact: (value: number) => string;
}

function sum(id: string, title: string, hint: string, unit: TimeUnit, of: "own" | "base"): Figure {
  return {
    id,
    title: `${title} ${unit.name}`,
    hint,
    width: 96,
    value: (pair) => pair[of]?.sum_ns ?? null,
    show: (ns) => inUnit(ns, unit),
    exact: exactDuration,
  };
}

function share(id: string, title: string, hint: string, of: "own" | "base"): Figure {
  return {
    id,
    title: `${title} %`,
    hint,
    width: 92,
    value: (pair) => pair[of]?.share ?? null,
    show: percent,
    exact: exactPercent,
  };
}

function calls(id: string, title: string, hint: string, of: "own" | "base"): Figure {
  return {
    id,
    title,
    hint,
    width: 84,
    value: (pair) => pair[of]?.calls ?? null,
    show: count,
    exact: count,
  };
}

export function differenceColumns(operators: Operators, against: Against): Column<Pair>[] {
  const unit = timeUnit(
    [...operators.categories, ...against.base.categories].map((row) => row.sum_ns),
  );
  const figures: Figure[] = [
    sum("base_sum", "base", "Durations added up, in the base", unit, "base"),
    sum("sum", "this run", "Durations added up, in this run", unit, "own"),
    {
      id: "delta",
      title: `change ${unit.name}`,
      hint: "This run's time less the base's, by category",
      width: 104,
      value: (pair) => pair.bar?.delta_ns ?? null,
      show: (ns) => (ns > 0 ? `+${inUnit(ns, unit)}` : inUnit(ns, unit)),
      exact: exactDuration,
    },
    {
      id: "speedup",
      title: "speed-up",
      hint: "The base's time over this run's, by category",
      width: 92,
      value: (pair) => pair.bar?.speedup ?? null,
      show: factor,
      exact: String,
    },
    share("base_share", "base", "Part of the base's sum", "base"),
    share("share", "this run", "Part of this run's sum", "own"),
    calls("base_calls", "base calls", "CPU operators in the base", "base"),
    calls("calls", "calls", "CPU operators in this run", "own"),
  ];
  return figures.map(({ id, title, hint, width, value, show, exact }) => ({
    id,
    title,
    hint,
    width,
    isNumber: true,
    value,
    show: (pair) => {
      const found = value(pair);
      if (found !== null) return show(found);
      return (id === "delta" || id === "speedup") && pair.level !== "category" ? "" : NOTHING;
    },
    exact: (pair) => {
      const found = value(pair);
      return found === null ? "" : exact(found);
    },
  }));
}

/** A line for each row of either run, at every level, with the names of those above it. */
export function differencesCsv(operators: Operators, against: Against): string {
  const fields = ["sum_ns", "busy_ns", "unlinked_ns", "share", "launches", "calls"] as const;
  const lines: Cell[][] = [];
  const walk = (nodes: readonly Node<Pair>[], above: readonly string[]) => {
    for (const { data, children } of nodes) {
      const path = [...above, data.name];
      lines.push([
        data.level,
        path.join(" > "),
        ...fields.flatMap((field) => [data.base?.[field] ?? null, data.own?.[field] ?? null]),
        data.bar?.delta_ns ?? null,
        data.bar?.speedup ?? null,
      ]);
      walk(children, path);
    }
  };
  walk(differenceNodes(operators, against), []);
  const both = fields.flatMap((field) => [`base_${field}`, field]);
  return toCsv(["level", "path", ...both, "delta_ns", "speedup"], lines);
}
