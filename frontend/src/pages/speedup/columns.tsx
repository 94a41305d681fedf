// The columns of the page's tables.

import type {
  AlignedCall,
  CategoryShift,
  GroupSpeedup,
  PredictedShape,
  ShapeSpeedup,
  UnalignedCall,
} from "../../api/speedup";
import { ToTrace } from "../../components/ToTrace";
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
  width = 104,
): Plain<T> {
  return {
    id,
    title: `${title} ${unit.name}`,
    hint,
    width,
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
    times("speedup", "speedup", FASTER, (row) => row.speedup),
  ];
}

function groupFigures<T extends GroupSpeedup>(rows: readonly T[]): Plain<T>[] {
  const unit = timeUnit(rows.map((row) => row.baseline_ns));
  const each = timeUnit(rows.map((row) => row.baseline_median_ns));
  return [
    whole("calls", "calls", "Aligned calls", (row) => row.calls, 62),
    time("baseline", "baseline", "Time of the calls, added up", unit, (row) => row.baseline_ns, 98),
    time("fused", "fused", "Time of the calls, added up", unit, (row) => row.fused_ns, 88),
    times("speedup", "speedup", `${FASTER}; of the sums`, (row) => row.speedup),
    { ...median("baseline", each, (row) => row.baseline_median_ns), width: 128 },
    { ...median("fused", each, (row) => row.fused_median_ns), width: 110 },
    {
      ...times<T>("median_speedup", "median speedup", "Of single calls", (r) => r.median_speedup),
      width: 124,
    },
    { ...times<T>("low", "lowest", "Of a single call", (row) => row.low), width: 74 },
    { ...times<T>("high", "highest", "Of a single call", (row) => row.high), width: 76 },
  ];
}

function median<T>(of: string, unit: TimeUnit, value: (row: T) => number): Plain<T> {
  return time(`${of}_median`, `${of} call`, `Median of the ${of} calls`, unit, value);
}

export function groupColumns(rows: readonly GroupSpeedup[]): Column<GroupSpeedup>[] {
  return groupFigures(rows);
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

/** What goes from a call to the page Attention, or to the page Trace. */
export type OpenCall = (run: "baseline" | "fused", index: number) => void;

function link<T>(
  id: string,
  title: string,
  run: (row: T) => "baseline" | "fused",
  index: (row: T) => number,
  onOpen: OpenCall,
  onTrace: OpenCall | null,
): WindowColumn<T> {
  return {
    id,
    title,
    hint: "Number of the call in its run; a click shows it on the page Attention",
    width: 92,
    isNumber: true,
    exact: (row) => String(index(row)),
    show: (row) => (
      <>
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
        {onTrace && (
          <ToTrace
            what={`call ${index(row)} of the ${run(row)} run`}
            onShow={() => onTrace(run(row), index(row))}
          />
        )}
      </>
    ),
  };
}

const SAYS_PASS = new Set(["forward"]);

export function alignedColumns(
  unit: TimeUnit,
  onOpen: OpenCall,
  onTrace: OpenCall | null,
): WindowColumn<AlignedCall>[] {
  return [
    link(
      "baseline_index",
      "baseline",
      () => "baseline",
      (row) => row.baseline_index,
      onOpen,
      onTrace,
    ),
    link(
      "fused_index",
      "fused",
      () => "fused",
      (row) => row.fused_index,
      onOpen,
      onTrace,
    ),
    word("component", "component", "Independently trained part", 100, (row) => row.component),
    word("kind", "kind", "self, cross or joint attention", 56, (row) => row.kind),
    word("axis", "axis", "What the sequence runs over", 84, (row) => row.axis),
    whole("layer", "layer", "Layer of the component", (row) => row.layer, 52),
    whole("step", "step", "Step of the component", (row) => row.step, 52),
    whole("q_len", "q_len", "Length of the queries", (row) => row.q_len, 62),
    whole("kv_len", "kv_len", "Length of the keys", (row) => row.kv_len, 62),
    time("baseline_ns", "baseline", "Time of the call", unit, (row) => row.baseline_ns, 96),
    time("fused_ns", "fused", "Time of the call", unit, (row) => row.fused_ns, 86),
    times("speedup", "speedup", FASTER, (row) => row.speedup),
    word("baseline_implementation", "by", "Implementations", 106, (row) =>
      [row.baseline_implementation, row.fused_implementation]
        .map((name) => name ?? "not known")
        .join(" → "),
    ),
    {
      ...word<AlignedCall>("note", "note", "What else differs between the two", 80, (row) =>
        SAYS_PASS.has(row.pass) ? row.note : [row.pass, row.note].filter(Boolean).join("; "),
      ),
      grows: true,
    },
  ];
}

export function unalignedColumns(
  unit: TimeUnit,
  onOpen: OpenCall,
  onTrace: OpenCall | null,
): WindowColumn<UnalignedCall>[] {
  return [
    word("run", "run", "The one of the two that makes it", 80, (row) => row.run),
    link(
      "index",
      "call",
      (row) => (row.run === "fused" ? "fused" : "baseline"),
      (row) => row.index,
      onOpen,
      onTrace,
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
