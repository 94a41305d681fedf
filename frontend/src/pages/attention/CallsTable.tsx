// The table of every attention call, which comes in windows sorted by the server.

import { useMemo, useState } from "preact/hooks";
import type { AttentionCall, Calls } from "../../api/attention";
import type { Client, Selection } from "../../api/client";
import { downloadCsv, fileName } from "../../browser";
import { percent } from "../../format";
import { DEFAULT_STATE, type Sort } from "../../state/url";
import { type WindowAsk, WindowTable } from "../../table/WindowTable";
import { byField, type RowWindow, windowOf } from "../../table/windows";
import { showInPerfetto, spanOfCall } from "../trace/link";
import { callColumns } from "./columns";
import { callsCsv } from "./export";
import type { TablesProps } from "./Tables";
import { timelineRange } from "./timeline";
import { CALL, markedOf } from "./view";

/** Rows that the route gives at once. */
const MOST = 2000;

const indexOf = (call: AttentionCall) => call.index;

async function askFor(
  client: Client,
  run: string,
  selection: Selection,
  ask: WindowAsk,
  sort: Sort | null,
): Promise<RowWindow<AttentionCall>> {
  const at: Selection = ask.at === null ? [] : [["at", `${ask.at}`]];
  const order: Selection = sort
    ? [
        ["sort", sort.column],
        ["descending", sort.descending ? "1" : "0"],
      ]
    : [];
  const { total, first, calls } = await client.view<Calls>("calls", [run], {
    signal: ask.signal,
    selection: [
      ...selection,
      ["first", `${ask.first}`],
      ["count", `${ask.count}`],
      ...at,
      ...order,
    ],
  });
  if (client.isLive) return { total, first, rows: calls };
  // A report has one list, which nobody sorts and cuts for us.
  return { ...windowOf(calls, ask, byField(sort), indexOf), outOf: total };
}

export function CallsTable(props: TablesProps) {
  const { client, selection, shown, attention, state, store, mode } = props;
  const { sort } = state;
  const { sequence } = shown;
  const columns = useMemo(() => {
    const isDevice = attention.basis === "device";
    const of = {
      isDevice,
      hasBackward: attention.passes.some((pass) => pass === "backward"),
      time_ns: attention.time_ns,
      calls: attention.calls_total,
      // Without lengths nothing is drawn that tells how long the trace is.
      end_ns: sequence.series.start_ns.at(-1) ?? 1e6,
    };
    const open = async (call: AttentionCall) => {
      const overview = await client.overview(shown.id);
      const range = timelineRange(call, overview.strip.start_ns, overview.wall_ns);
      const { table, search, open } = DEFAULT_STATE;
      store.write({ page: "overview", range, table, sort: null, search, open }, "push");
    };
    const trace = (call: AttentionCall) => showInPerfetto(store, shown.id, spanOfCall(call));
    return callColumns(of, mode, open, client.isLive ? trace : null);
  }, [attention, sequence, mode, client, shown.id, store]);
  const known = sort !== null && columns.some((column) => column.id === sort.column) ? sort : null;
  const marked = markedOf(state.of);
  return (
    <WindowTable
      label="Attention calls"
      columns={columns}
      listKey={JSON.stringify([shown.id, selection, known])}
      load={(ask) => askFor(client, shown.id, selection, ask, known)}
      keyOf={indexOf}
      sort={known}
      onSort={(next) => store.write({ sort: next }, "replace")}
      marked={marked}
      onMark={(call) =>
        store.write(
          { of: { ...state.of, [CALL]: call.index === marked ? "" : String(call.index) } },
          "replace",
        )
      }
      nothing="No attention call was found, or the filters leave none."
      lost={
        client.isLive
          ? `Call ${marked} is not among these calls: another run, or the filters leave it out.`
          : `Call ${marked} of this run is not in the report.`
      }
    />
  );
}

/** Saves all calls, also those that have not come yet. */
export function CallsCsvButton(props: TablesProps) {
  const { client, selection, shown, attention } = props;
  const [saved, setSaved] = useState<number | null>(null);
  const [error, setError] = useState<string | null>(null);
  const save = async () => {
    const calls: AttentionCall[] = [];
    const { signal } = new AbortController();
    setSaved(0);
    setError(null);
    try {
      for (let total = 1; calls.length < total; ) {
        const ask = { first: calls.length, count: MOST, at: null, signal };
        const window = await askFor(client, shown.id, selection, ask, null);
        if (window.rows.length === 0) break;
        calls.push(...window.rows);
        total = window.total;
        setSaved(calls.length / Math.max(1, total));
      }
      downloadCsv(`${fileName(attention.trace, "calls")}.csv`, callsCsv(calls));
    } catch (failure) {
      setError((failure as Error).message);
    }
    setSaved(null);
  };
  return (
    <>
      {error !== null && (
        <span class="soft" role="alert">
          The calls could not be saved: {error}
        </span>
      )}
      <button
        type="button"
        title="All calls that pass the filters, in order, with exact figures"
        disabled={saved !== null}
        onClick={save}
      >
        {saved === null ? "CSV" : `CSV ${percent(saved)} %`}
      </button>
    </>
  );
}
