// A run beside the base: rows of both by name, with the differences that the comparison gives.

import type { Difference, Operators, Row } from "../../api/types";
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
  /** What the comparison says of it; null where the runs are on different bases. */
  change: Difference | null;
}

export function differenceNodes(operators: Operators, against: Against): Node<Pair>[] {
  const changes = against.comparison.runs[against.index]?.differences ?? [];
  return pairNodes(operators.categories.map(asRow), against.base.categories.map(asRow), changes);
}

function pairNodes(
  own: readonly Row[],
  base: readonly Row[],
  changes: readonly Difference[],
): Node<Pair>[] {
  const keyOf = ({ level, name }: { level: string; name: string }) => `${level} ${name}`;
  const ofBase = new Map(base.map((row) => [keyOf(row), row]));
  const change = new Map(changes.map((each) => [keyOf(each), each]));
  const pairs: Pair[] = own.map((row) => ({
    name: row.name,
    level: row.level,
    own: row,
    base: ofBase.get(keyOf(row)) ?? null,
    change: change.get(keyOf(row)) ?? null,
  }));
  const known = new Set(own.map(keyOf));
  for (const row of base) {
    if (known.has(keyOf(row))) continue;
    const { name, level } = row;
    pairs.push({ name, level, own: null, base: row, change: change.get(keyOf(row)) ?? null });
  }
  return toNodes(
    pairs,
    (pair) => pair.name,
    (pair) =>
      pairNodes(pair.own?.children ?? [], pair.base?.children ?? [], pair.change?.children ?? []),
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
      hint: "This run's time less the base's; those of a level add up",
      width: 104,
      value: (pair) => pair.change?.delta_ns ?? null,
      show: (ns) => (ns > 0 ? `+${inUnit(ns, unit)}` : inUnit(ns, unit)),
      exact: exactDuration,
    },
    {
      id: "speedup",
      title: "speedup",
      hint: "The base's time over this run's",
      width: 92,
      value: (pair) => pair.change?.speedup ?? null,
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
      return found === null ? NOTHING : show(found);
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
        data.change?.delta_ns ?? null,
        data.change?.speedup ?? null,
      ]);
      walk(children, path);
    }
  };
  walk(differenceNodes(operators, against), []);
  const both = fields.flatMap((field) => [`base_${field}`, field]);
  return toCsv(["level", "path", ...both, "delta_ns", "speedup"], lines);
}
