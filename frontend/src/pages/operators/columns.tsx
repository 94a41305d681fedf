// The columns of the page's tables.

import type { CategoryRow, Figures, ModuleRow, PassRow, Row } from "../../api/types";
import { MixBar } from "../../components/MixBar";
import { ShareBar } from "../../components/ShareBar";
import type { Column } from "../../components/TreeTable";
import {
  bytes,
  count,
  exactDuration,
  exactPercent,
  flopCount,
  flopRate,
  inUnit,
  percent,
  type TimeUnit,
  threeDigits,
  timeUnit,
} from "../../format";

/** A row that tells how its time is made up. */
type Mixed = Figures & { categories: Record<string, number> };

function time<T>(
  id: string,
  title: string,
  hint: string,
  unit: TimeUnit,
  value: (row: T) => number,
): Column<T> {
  return {
    id,
    title: `${title} ${unit.name}`,
    hint,
    width: 92,
    isNumber: true,
    value,
    show: (row) => inUnit(value(row), unit),
    exact: (row) => exactDuration(value(row)),
  };
}

function counted<T>(id: string, title: string, hint: string, value: (row: T) => number): Column<T> {
  return {
    id,
    title,
    hint,
    width: 84,
    isNumber: true,
    value,
    show: (row) => count(value(row)),
    exact: (row) => count(value(row)),
  };
}

function share<T extends Figures>(): Column<T> {
  return {
    id: "share",
    title: "share %",
    hint: "Part of the sum over all categories",
    width: 110,
    isNumber: true,
    value: (row) => row.share,
    show: (row) => <ShareBar share={row.share}>{percent(row.share)}</ShareBar>,
    exact: (row) => exactPercent(row.share),
  };
}

/** Columns of any group of events; `rows` are those of the first level, which decide the units. */
function figures<T extends Figures>(rows: readonly T[], isDevice: boolean): Column<T>[] {
  const unit = timeUnit(rows.map((row) => row.sum_ns));
  const all = [
    time<T>("sum", "sum", "Durations added up", unit, (row) => row.sum_ns),
    time<T>("busy", "busy", "Overlapping time counted once", unit, (row) => row.busy_ns),
    share<T>(),
    counted<T>("launches", "launches", "Device events", (row) => row.launches),
    counted<T>("calls", "calls", "CPU operators that the time belongs to", (row) => row.calls),
    time<T>(
      "unlinked",
      "unlinked",
      "Device events without a launch in the trace",
      unit,
      (row) => row.unlinked_ns,
    ),
  ];
  const device = new Set(["launches", "unlinked"]);
  return isDevice ? all : all.filter((column) => !device.has(column.id));
}

function mix<T extends Mixed>(): Column<T> {
  return {
    id: "mix",
    title: "categories",
    hint: "What the sum is made of",
    width: 200,
    grows: true,
    isNumber: false,
    value: () => null,
    show: (row) => <MixBar categories={row.categories} sum_ns={row.sum_ns} />,
  };
}

type WorkField = "flops" | "moved_bytes" | "flops_per_s" | "intensity";

function worked(
  id: WorkField,
  title: string,
  hint: string,
  say: (value: number) => string,
  width: number,
): Column<Row> {
  return {
    id,
    title,
    hint,
    width,
    isNumber: true,
    value: (row) => row[id] ?? null,
    show: (row) => (typeof row[id] === "number" ? say(row[id]) : "–"),
    exact: (row) => (typeof row[id] === "number" ? count(row[id]) : "not known"),
  };
}

/** What was done in the time, of categories and ops whose shapes were recorded. */
const WORK: readonly Column<Row>[] = [
  worked("flops_per_s", "reached", "FLOPs over the time of what is counted", flopRate, 106),
  worked("intensity", "FLOPs/byte", "FLOPs over bytes moved", threeDigits, 92),
];
/** Where there is room; the CSV has all. */
const MORE_WORK: readonly Column<Row>[] = [
  worked("flops", "FLOPs", "Of the shapes of its ops", flopCount, 104),
  worked("moved_bytes", "moved", "Operands and results of its ops, each once", bytes, 92),
];
const ROOM = 1500;

/** Columns of the drill-down. */
export function rowColumns(rows: readonly CategoryRow[], isDevice: boolean): Column<Row>[] {
  const isWorked = rows.some((row) => (row.flops ?? 0) > 0);
  const isWide = window.innerWidth >= ROOM;
  const rule: Column<Row> = {
    id: "rule",
    title: "rule",
    hint: "What decided the category",
    width: isWorked && !isWide ? 80 : 220,
    grows: true,
    isNumber: false,
    value: (row) => row.rule,
    show: (row) => row.rule,
    exact: (row) => row.rule ?? "",
  };
  const work = isWide ? [...WORK, ...MORE_WORK] : WORK;
  return [...figures<Row>(rows.map(asRow), isDevice), ...(isWorked ? work : []), rule];
}

export function passColumns(rows: readonly PassRow[], isDevice: boolean): Column<PassRow>[] {
  return [...figures(rows, isDevice), mix<PassRow>()];
}

export function moduleColumns(rows: readonly ModuleRow[], isDevice: boolean): Column<ModuleRow>[] {
  const unit = timeUnit(rows.map((row) => row.sum_ns));
  const self = time<ModuleRow>(
    "self",
    "self",
    "Time that no module inside it has",
    unit,
    (row) => row.self_ns,
  );
  return [...figures(rows, isDevice), self, mix<ModuleRow>()];
}

/** A category as the first level of the drill-down. */
export function asRow(category: CategoryRow): Row {
  return { ...category, name: category.category, level: "category", rule: null };
}
