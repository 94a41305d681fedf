// The table of aligned calls, or of those that only one of the runs makes.

import { useMemo } from "preact/hooks";
import type { Client, Selection } from "../../api/client";
import type { AlignedCall, AlignedWindow, Speedup, UnalignedCall } from "../../api/speedup";
import { timeUnit } from "../../format";
import type { Sort } from "../../state/url";
import { type WindowAsk, type WindowColumn, WindowTable } from "../../table/WindowTable";
import { byField, type RowWindow, windowOf } from "../../table/windows";
import { alignedColumns, type OpenCall, unalignedColumns } from "./columns";

export type Which = "aligned" | "unaligned";

type Call = AlignedCall | UnalignedCall;

/** Most rows that the route gives at once. */
const MOST = 2000;

/** Where the calls of a pair come from. */
export interface Source {
  client: Client;
  base: string;
  fused: string;
  selection: Selection;
}

/** A window of the calls; `sort` is a field of theirs. */
export async function askCalls<T extends Call>(
  { client, base, fused, selection }: Source,
  which: Which,
  sort: Sort | null,
  ask: WindowAsk,
): Promise<RowWindow<T>> {
  const { first, count, at, signal } = ask;
  const window: [string, string][] = [
    ["which", which],
    ["first", String(first)],
    ["count", String(count)],
  ];
  if (sort !== null) window.push(["sort", sort.column]);
  if (sort?.descending) window.push(["descending", "1"]);
  if (at !== null && which === "aligned") window.push(["at", String(at)]);
  // A report has a list for each, which nobody sorts and cuts for us.
  const route = client.isLive ? "aligned" : which;
  const answer = await client.view<AlignedWindow<T>>(route, [base, fused], {
    selection: [...selection, ...window],
    signal,
  });
  const { total, calls } = answer;
  if (client.isLive) return { total, first: answer.first, rows: calls };
  return { ...windowOf(calls, ask, byField(sort), keyOf), outOf: total };
}

/** Every one of the calls, window by window. */
export async function allCalls<T extends Call>(
  source: Source,
  which: Which,
  sort: Sort | null,
): Promise<T[]> {
  const rows: T[] = [];
  const { signal } = new AbortController();
  for (;;) {
    const ask = { first: rows.length, count: MOST, at: null, signal };
    const window = await askCalls<T>(source, which, sort, ask);
    rows.push(...window.rows);
    if (window.rows.length === 0 || rows.length >= window.total) return rows;
  }
}

/** One number a call: those of the two runs are apart. */
export function keyOf(call: Call): number {
  if ("baseline_index" in call) return call.baseline_index;
  return 2 * call.index + (call.run === "fused" ? 1 : 0);
}

export function Calls(props: {
  source: Source;
  speedup: Speedup;
  which: Which;
  sort: Sort | null;
  onSort: (sort: Sort | null) => void;
  marked: number | null;
  onMark: (call: Call) => void;
  onOpen: OpenCall;
  onTrace: OpenCall | null;
}) {
  const { source, speedup, which, sort, onOpen, onTrace } = props;
  const { base, fused, selection } = source;
  const unit = useMemo(
    () => timeUnit(speedup.shapes.map((row) => row.baseline_ns / Math.max(1, speedup.aligned))),
    [speedup],
  );
  const columns = useMemo(
    () =>
      (which === "aligned"
        ? alignedColumns(unit, onOpen, onTrace)
        : unalignedColumns(unit, onOpen, onTrace)) as readonly WindowColumn<Call>[],
    [which, unit, onOpen, onTrace],
  );
  const known = sort !== null && columns.some((column) => column.id === sort.column) ? sort : null;
  return (
    <WindowTable<Call>
      label={which === "aligned" ? "Aligned calls" : "Calls of one run only"}
      columns={columns}
      listKey={JSON.stringify([which, base, fused, selection, known])}
      load={(ask) => askCalls<Call>(source, which, known, ask)}
      keyOf={keyOf}
      sort={known}
      onSort={props.onSort}
      marked={props.marked}
      onMark={props.onMark}
      nothing={
        which === "aligned"
          ? "No call of the one run is a call of the other. Record both with record_shapes=True and with the same prompt, size and steps."
          : "Every call of one run has its partner in the other."
      }
    />
  );
}
