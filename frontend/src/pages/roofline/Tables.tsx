// The tables of the page: one run's ops or groups, and what components hold of parameters.

import { useMemo } from "preact/hooks";
import { downloadCsv, fileName } from "../../browser";
import { RunChoice, SaveButtons } from "../../components/panel";
import { bytes, count, flopCount, threeDigits } from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import { WindowTable } from "../../table/WindowTable";
import { byField, windowOf } from "../../table/windows";
import type { Mode } from "../../theme/mode";
import { columnsOf, type Listed } from "./columns";
import { capacityCsv, rowsCsv } from "./export";
import { type Level, MARKED, type Roofed, rowsOf, SORT } from "./points";
import { leftOut, tableTitle } from "./words";

interface Props {
  runs: readonly Roofed[];
  shown: Roofed;
  level: Level;
  marked: number | null;
  state: State;
  store: Store;
  mode: Mode;
}

export function RowsTable(props: Props) {
  const { runs, shown, level, marked, state, store, mode } = props;
  const rows = useMemo(
    () => rowsOf(shown.data, level).map((row, place): Listed => ({ ...row, place })),
    [shown, level],
  );
  const columns = useMemo(() => columnsOf(shown.data, level, mode), [shown, level, mode]);
  const [, minus, column] = /^(-?)(.+)$/.exec(state.of[SORT] ?? "") ?? [];
  const known = columns.some((each) => each.id === column);
  const sort = column === undefined || !known ? null : { column, descending: minus === "-" };
  const write = (name: string, value: string) =>
    store.write({ of: { ...state.of, [name]: value } }, "replace");
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>{tableTitle(shown.data, level)}</h2>
        {runs.length > 1 && (
          <RunChoice
            word="in"
            runs={runs}
            shown={shown.id}
            onShow={(id) => store.write({ shown: id, of: { ...state.of, [MARKED]: "" } }, "push")}
          />
        )}
        <span class="soft">{level === "op" ? leftOut(shown.data) : ""}</span>
        <span class="space" />
        <SaveButtons
          csvHint="A line for each row, exact"
          onCsv={() =>
            downloadCsv(`${fileName("roofline", level, shown.label)}.csv`, rowsCsv([shown], level))
          }
        />
      </div>
      <WindowTable
        label="Roofline"
        columns={columns}
        listKey={`${shown.id} ${level} ${rows.length} ${shown.data.device?.name} ${state.of[SORT]}`}
        load={async (ask) => windowOf(rows, ask, byField(sort), (row) => row.place)}
        keyOf={(row) => row.place}
        sort={sort}
        onSort={(next) => write(SORT, next ? `${next.descending ? "-" : ""}${next.column}` : "")}
        marked={marked}
        onMark={(row) => write(MARKED, row.place === marked ? "" : String(row.place))}
        nothing="Nothing here has known FLOPs and bytes."
      />
    </section>
  );
}

/** Both kinds of intensity side by side. */
export function CapacityTable({ runs }: { runs: readonly Roofed[] }) {
  const known = runs.filter((run) => run.data.capacity.length > 0);
  if (known.length === 0) return null;
  const file = fileName("capacity", ...known.map((run) => run.label));
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Intensity by model capacity</h2>
        <span class="soft">
          the paper's: FLOPs of all calls in the trace over the bytes of the parameters
        </span>
        <span class="space" />
        <SaveButtons
          csvHint="A line for each component, exact"
          onCsv={() => downloadCsv(`${file}.csv`, capacityCsv(known))}
        />
      </div>
      <div class="compare capacity">
        <table>
          <caption class="hidden">Intensity by model capacity</caption>
          <thead>
            <tr>
              <th scope="col" class="left">
                component
              </th>
              <th scope="col">parameters</th>
              <th scope="col">calls</th>
              <th scope="col">FLOPs</th>
              <th scope="col">FLOPs/parameter byte</th>
              <th scope="col">of one call</th>
              <th scope="col">FLOPs/byte moved</th>
            </tr>
          </thead>
          <tbody>
            {known.flatMap((run) =>
              run.data.capacity.map((row) => (
                <tr key={`${run.id} ${row.component}`}>
                  <th scope="row" class="left">
                    {row.component}
                    {runs.length > 1 && <span class="soft"> {run.label}</span>}
                  </th>
                  <td title={`${count(row.parameter_bytes)} B`}>{bytes(row.parameter_bytes)}</td>
                  <td>{count(row.calls)}</td>
                  <td title={`${count(row.flops)} FLOP`}>{flopCount(row.flops)}</td>
                  <td title={String(row.intensity)}>{threeDigits(row.intensity)}</td>
                  <td title={String(row.intensity_per_call)}>
                    {threeDigits(row.intensity_per_call)}
                  </td>
                  <td title={String(row.moved_intensity ?? "")}>
                    {row.moved_intensity === null ? "–" : threeDigits(row.moved_intensity)}
                  </td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}
