// The table of every attention call, which comes in windows sorted by the server.

import { useMemo, useState } from "preact/hooks";
import type { AttentionCall, Calls } from "../../api/attention";
import type { Client, Selection } from "../../api/client";
import { downloadCsv, fileName } from "../../browser";
import { percent } from "../../format";
import { DEFAULT_STATE } from "../../state/url";
import { type WindowAsk, WindowTable } from "../../table/WindowTable";
import { callColumns } from "./columns";
import { callsCsv } from "./export";
import type { TablesProps } from "./Tables";
import { timelineRange } from "./timeline";
import { CALL, markedOf } from "./view";

/** Rows that the route gives at once. */
const MOST = 2000;

async function askFor(
  client: Client,
  run: string,
  selection: Selection,
  ask: Pick<WindowAsk, "first" | "count" | "at" | "signal">,
  order: Selection,
): Promise<Calls> {
  const at: Selection = ask.at === null ? [] : [["at", `${ask.at}`]];
  return client.view<Calls>("calls", [run], {
    signal: ask.signal,
    selection: [
      ...selection,
      ["first", `${ask.first}`],
      ["count", `${ask.count}`],
      ...at,
      ...order,
    ],
  });
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
    return callColumns(of, mode, open);
  }, [attention, sequence, mode, client, shown.id, store]);
  const known = sort !== null && columns.some((column) => column.id === sort.column);
  const order: Selection = known
    ? [
        ["sort", sort.column],
        ["descending", sort.descending ? "1" : "0"],
      ]
    : [];
  const marked = markedOf(state.of);
  return (
    <WindowTable
      label="Attention calls"
      columns={columns}
      listKey={JSON.stringify([shown.id, selection, order])}
      load={async (ask) => {
        const answer = await askFor(client, shown.id, selection, ask, order);
        return { total: answer.total, first: answer.first, rows: answer.calls };
      }}
      keyOf={(call) => call.index}
      sort={known ? sort : null}
      // A report holds one order only.
      onSort={client.isLive ? (next) => store.write({ sort: next }, "replace") : null}
      marked={marked}
      onMark={(call) =>
        store.write(
          { of: { ...state.of, [CALL]: call.index === marked ? "" : String(call.index) } },
          "replace",
        )
      }
      nothing="No attention call was found, or the filters leave none."
      lost={`Call ${marked} is not among these calls: another run, or the filters leave it out.`}
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
        const answer = await askFor(client, shown.id, selection, ask, []);
        if (answer.calls.length === 0) break;
        calls.push(...answer.calls);
        total = client.isLive ? answer.total : 0;
        setSaved(calls.length / Math.max(1, answer.total));
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
