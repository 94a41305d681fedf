// The columns of the page's tables.

import type {
  AlignedCall,
  CategoryShift,
  GroupSpeedup,
  PredictedShape,
  ShapeSpeedup,
  UnalignedCall,
} from "../../api/speedup";
import type { Column } from "../../components/TreeTable";
import {
  count,
  duration,
  exactDuration,
  exactPercent,
  inUnit,
  percent,
  type TimeUnit,
  timeUnit,
} from "../../format";
import type { WindowColumn } from "../../table/WindowTable";
import { titleOf } from "../../theme/kinds";
import { signedExact } from "./waterfall";
import { groupName, speedupText } from "./words";

/** A column of either kind of table, but for how it is sorted. */
interface Plain<T> {
  id: string;
  title: string;
  hint: string;
  width: number;
  isNumber: boolean;
  value: (row: T) => number | string | null;
  show: (row: T) => string;
  exact: (row: T) => string;
}

function time<T>(
  id: string,
  title: string,
  hint: string,
  unit: TimeUnit,
  value: (row: T) => number,
): Plain<T> {
  return {
    id,
    title: `${title} ${unit.name}`,
    hint,
    width: 104,
    isNumber: true,
    value,
    show: (row) => inUnit(value(row), unit),
    exact: (row) => exactDuration(value(row)),
  };
}

function times<T>(
  id: string,
  title: string,
  hint: string,
  value: (row: T) => number | null,
): Plain<T> {
  return {
    id,
    title,
    hint,
    width: 88,
    isNumber: true,
    value,
    show: (row) => speedupText(value(row)),
    exact: (row) => String(value(row) ?? "not known"),
  };
}

function whole<T>(
  id: string,
  title: string,
  hint: string,
  value: (row: T) => number | null,
  width = 70,
): Plain<T> {
  const show = (row: T) => {
    const found = value(row);
    return found === null ? "–" : count(found);
  };
  return { id, title, hint, width, isNumber: true, value, show, exact: show };
}

function word<T>(
  id: string,
  title: string,
  hint: string,
  width: number,
  value: (row: T) => string | null,
): Plain<T> {
  const show = (row: T) => titleOf(value(row), "–");
  return { id, title, hint, width, isNumber: false, value, show, exact: show };
}

const FASTER = "The baseline's time over the fused run's: above 1, fused is faster";

export function categoryColumns(rows: readonly CategoryShift[]): Column<CategoryShift>[] {
  const unit = timeUnit(rows.flatMap((row) => [row.baseline_ns, row.fused_ns]));
  const share = (id: string, of: string, value: (row: CategoryShift) => number) => ({
    id,
    title: `${of} %`,
    hint: `Part of all time of the ${of === "fused" ? "fused run" : of}`,
    width: 92,
    isNumber: true,
    value,
    show: (row: CategoryShift) => percent(value(row)),
    exact: (row: CategoryShift) => exactPercent(value(row)),
  });
  return [
    time("baseline", "baseline", "Durations added up", unit, (row) => row.baseline_ns),
    time("fused", "fused", "Durations added up", unit, (row) => row.fused_ns),
    {
      ...time<CategoryShift>("delta", "change", "Fused less baseline", unit, (row) => row.delta_ns),
      exact: (row) => signedExact(row.delta_ns),
    },
    share("baseline_share", "baseline", (row) => row.baseline_share),
    share("fused_share", "fused", (row) => row.fused_share),
    times("speedup", "speed-up", FASTER, (row) => row.speedup),
  ];
}

function groupFigures<T extends GroupSpeedup>(rows: readonly T[]): Plain<T>[] {
  const unit = timeUnit(rows.map((row) => row.baseline_ns));
  const each = timeUnit(rows.map((row) => row.baseline_median_ns));
  return [
    whole("calls", "calls", "Aligned calls", (row) => row.calls),
    time("baseline", "baseline", "Time of the calls, added up", unit, (row) => row.baseline_ns),
    time("fused", "fused", "Time of the calls, added up", unit, (row) => row.fused_ns),
    times("speedup", "speed-up", `${FASTER}; of the sums`, (row) => row.speedup),
    time(
      "baseline_median",
      "median",
      "Of a call of the baseline",
      each,
      (r) => r.baseline_median_ns,
    ),
    time(
      "fused_median",
      "fused",
      "Median of a call of the fused run",
      each,
      (r) => r.fused_median_ns,
    ),
    times("median_speedup", "median", "Median of single calls' speedups", (r) => r.median_speedup),
    times("low", "lowest", "Lowest speedup of a single call", (row) => row.low),
    times("high", "highest", "Highest speedup of a single call", (row) => row.high),
  ];
}

export function groupColumns(rows: readonly GroupSpeedup[]): Column<GroupSpeedup>[] {
  return [
    word("by", "by", "What the calls have in common", 100, (row) => row.by),
    ...groupFigures(rows),
  ];
}

/** What a group is called in its table. */
export function groupTitle(row: GroupSpeedup): string {
  return `${row.by}: ${groupName(row.name)}`;
}

export function shapeColumns(rows: readonly ShapeSpeedup[]): Column<ShapeSpeedup>[] {
  return [
    word("kind", "kind", "self, cross or joint attention", 60, (row) => row.kind),
    word("axis", "axis", "What the sequence runs over", 90, (row) => row.axis),
    ...groupFigures(rows),
    word("from", "baseline by", "Implementation", 92, (row) => row.baseline_implementation),
    word("to", "fused by", "Implementation", 84, (row) => row.fused_implementation),
    word("dtype", "dtype", "Data type of the baseline", 84, (row) => row.dtype),
    word("pass", "pass", "Forward, backward or recompute", 84, (row) => row.pass),
  ];
}

/** What goes from a call to the page Attention. */
export type OpenCall = (run: "baseline" | "fused", index: number) => void;

function link<T>(
  id: string,
  title: string,
  run: (row: T) => "baseline" | "fused",
  index: (row: T) => number,
  onOpen: OpenCall,
): WindowColumn<T> {
  return {
    id,
    title,
    hint: "Number of the call in its run; a click shows it on the page Attention",
    width: 84,
    isNumber: true,
    exact: (row) => String(index(row)),
    show: (row) => (
      <button
        type="button"
        class="link"
        title={`Show call ${index(row)} of the ${run(row)} run on the page Attention`}
        onClick={(event) => {
          event.stopPropagation();
          onOpen(run(row), index(row));
        }}
      >
        {count(index(row))}
      </button>
    ),
  };
}

const SAYS_PASS = new Set(["forward"]);

export function alignedColumns(unit: TimeUnit, onOpen: OpenCall): WindowColumn<AlignedCall>[] {
  return [
    link(
      "baseline_index",
      "baseline",
      () => "baseline",
      (row) => row.baseline_index,
      onOpen,
    ),
    link(
      "fused_index",
      "fused",
      () => "fused",
      (row) => row.fused_index,
      onOpen,
    ),
    word("component", "component", "Independently trained part", 110, (row) => row.component),
    word("kind", "kind", "self, cross or joint attention", 60, (row) => row.kind),
    word("axis", "axis", "What the sequence runs over", 90, (row) => row.axis),
    whole("layer", "layer", "Layer of the component", (row) => row.layer, 60),
    whole("step", "step", "Step of the component", (row) => row.step, 60),
    whole("q_len", "q_len", "Length of the queries", (row) => row.q_len),
    whole("kv_len", "kv_len", "Length of the keys", (row) => row.kv_len),
    time("baseline_ns", "baseline", "Time of the call", unit, (row) => row.baseline_ns),
    time("fused_ns", "fused", "Time of the call", unit, (row) => row.fused_ns),
    times("speedup", "speed-up", FASTER, (row) => row.speedup),
    word("baseline_implementation", "by", "The baseline's", 80, (r) => r.baseline_implementation),
    word("fused_implementation", "fused by", "The fused run's", 80, (r) => r.fused_implementation),
    {
      ...word<AlignedCall>("note", "note", "What else differs between the two", 170, (row) =>
        SAYS_PASS.has(row.pass) ? row.note : [row.pass, row.note].filter(Boolean).join("; "),
      ),
      grows: true,
    },
  ];
}

export function unalignedColumns(unit: TimeUnit, onOpen: OpenCall): WindowColumn<UnalignedCall>[] {
  return [
    word("run", "run", "The one of the two that makes it", 80, (row) => row.run),
    link(
      "index",
      "call",
      (row) => (row.run === "fused" ? "fused" : "baseline"),
      (row) => row.index,
      onOpen,
    ),
    {
      ...word<UnalignedCall>("reason", "reason", "Why it has no partner", 330, (row) => row.reason),
      grows: true,
    },
    word("component", "component", "Independently trained part", 110, (row) => row.component),
    word("kind", "kind", "self, cross or joint attention", 60, (row) => row.kind),
    word("axis", "axis", "What the sequence runs over", 90, (row) => row.axis),
    whole("q_len", "q_len", "Length of the queries", (row) => row.q_len),
    whole("kv_len", "kv_len", "Length of the keys", (row) => row.kv_len),
    word("implementation", "by", "Implementation", 80, (row) => row.implementation),
    time("time_ns", "time", "Time of the call", unit, (row) => row.time_ns),
    word("pass", "pass", "Forward, backward or recompute", 84, (row) => row.pass),
  ];
}

/** Of the shapes of one run; a column for each implementation that something is told of. */
export function predictedColumns(rows: readonly PredictedShape[]): Column<PredictedShape>[] {
  const unit = timeUnit(rows.map((row) => row.time_ns));
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.speedups)))].sort();
  const reason: Column<PredictedShape> = {
    ...word<PredictedShape>(
      "reason",
      "not predicted",
      "Why nothing is predicted",
      240,
      (row) => row.reason,
    ),
    grows: true,
  };
  return [
    whole("calls", "calls", "Calls of this shape", (row) => row.calls),
    {
      ...time<PredictedShape>(
        "time",
        "time",
        "In the category Attention",
        unit,
        (row) => row.time_ns,
      ),
      exact: (row) => `${exactDuration(row.time_ns)} (${duration(row.time_ns)})`,
    },
    word("implementation", "recorded with", "Implementation", 110, (row) => row.implementation),
    ...names.map((name) =>
      times<PredictedShape>(
        `with ${name}`,
        name,
        `Predicted: speedup with ${name} over what was recorded`,
        (row) => row.speedups[name] ?? null,
      ),
    ),
    word("pass", "pass", "Forward, backward or recompute", 84, (row) => row.pass),
    ...(rows.some((row) => row.reason !== null) ? [reason] : []),
  ];
}
