// The tables below the chart: every call, calls of one shape, calls of one length.

import { useMemo } from "preact/hooks";
import type { Attention } from "../../api/attention";
import type { Client, Selection } from "../../api/client";
import { downloadCsv, fileName } from "../../browser";
import { Segmented } from "../../components/controls";
import { RunChoice, SaveButtons } from "../../components/panel";
import { count } from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import { WindowTable } from "../../table/WindowTable";
import { windowOf } from "../../table/windows";
import type { Mode } from "../../theme/mode";
import { CallsCsvButton, CallsTable } from "./CallsTable";
import { groupColumns, type ListColumn, levelColumns } from "./columns";
import { groupsCsv, levelsCsv } from "./export";
import type { Sequenced } from "./sequences";
import { CALL } from "./view";

export interface TablesProps {
  client: Client;
  selection: Selection;
  sequenced: readonly Sequenced[];
  shown: Sequenced;
  attention: Attention;
  state: State;
  store: Store;
  mode: Mode;
}

/** A table that is here as a whole, with everything that depends on the type of its rows inside. */
interface Listed {
  rows: readonly unknown[];
  columns: readonly ListColumn<unknown>[];
  csv: () => string;
  /** The call that a row leads to. */
  callOf?: (row: unknown) => number;
  /** In a few words, beside the choice of tables. */
  said: string;
  /** What would fill it, shown when it is empty. */
  filledBy: string;
}

function listed<T>(
  of: Omit<Listed, "rows" | "columns" | "callOf"> & {
    rows: readonly T[];
    columns: readonly ListColumn<T>[];
    callOf?: (row: T) => number;
  },
): Listed {
  return of as unknown as Listed;
}

interface Kind {
  id: string;
  title: string;
  hint: string;
  /** Null for the calls themselves, which come in windows. */
  make: ((props: TablesProps) => Listed) | null;
}

const KINDS: readonly Kind[] = [
  { id: "calls", title: "Calls", hint: "Every attention call", make: null },
  {
    id: "shapes",
    title: "Shapes",
    hint: "Calls that are alike in everything but place and time",
    make: ({ attention: { groups }, mode }) =>
      listed({
        rows: groups,
        columns: groupColumns(groups, mode),
        csv: () => groupsCsv(groups),
        callOf: (group) => group.first_index,
        said: "Calls that are alike in everything but place and time",
        filledBy: "No attention call was found, or the filters leave none.",
      }),
  },
  {
    id: "levels",
    title: "Levels",
    hint: "Calls of one sequence length, and the modules that they come from",
    make: ({ shown: { sequence } }) =>
      listed({
        rows: sequence.levels,
        columns: levelColumns(sequence.levels),
        csv: () => levelsCsv(sequence.levels),
        said:
          sequence.levels_left > 0
            ? `Calls of one sequence length; the ${count(sequence.levels_left)} shortest are left out`
            : "Calls of one sequence length, and the modules that they come from",
        filledBy:
          "No call has known lengths. Record with record_shapes=True, or with genscope.collect.",
      }),
  },
];

export function Tables(props: TablesProps) {
  const { client, sequenced, shown, attention, state, store } = props;
  const kind = KINDS.find((each) => each.id === state.table) ?? (KINDS[0] as Kind);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what else it is given stays the same.
  const list = useMemo(() => kind.make?.(props) ?? null, [kind, shown, attention, props.mode]);
  return (
    <section class="panel tables">
      <div class="panel-head">
        <Segmented
          label="Table"
          choices={KINDS}
          value={kind.id}
          onChange={(id) => store.write({ table: id, sort: null }, "push")}
        />
        {sequenced.length > 1 && (
          <RunChoice
            word="of"
            runs={sequenced}
            shown={shown.id}
            onShow={(id) => store.write({ shown: id, of: { ...state.of, [CALL]: "" } }, "push")}
          />
        )}
        <span class="soft">
          {list?.said ??
            `${count(attention.calls_total)} calls${client.isLive ? "; the filters above choose among them" : ""}`}
        </span>
        <span class="space" />
        {list === null ? (
          <CallsCsvButton {...props} />
        ) : (
          <SaveButtons
            csvHint="All rows of this table, with exact figures"
            onCsv={() => downloadCsv(`${fileName(attention.trace, kind.id)}.csv`, list.csv())}
          />
        )}
      </div>
      {list === null ? <CallsTable {...props} /> : <ListTable {...props} kind={kind} list={list} />}
    </section>
  );
}

function ListTable(props: TablesProps & { kind: Kind; list: Listed }) {
  const { kind, list, shown, attention, selection, state, store } = props;
  const column = list.columns.find((each) => each.id === state.sort?.column);
  const sort = column && state.sort;
  const order = column && sort ? { valueOf: column.value, descending: sort.descending } : null;
  const place = useMemo(() => new Map(list.rows.map((row, at) => [row, at])), [list]);
  const keyOf = (row: unknown) => place.get(row) ?? -1;
  const listKey = JSON.stringify([kind.id, shown.id, attention.trace, selection, sort]);
  return (
    <WindowTable
      key={kind.id}
      label={kind.title}
      columns={list.columns}
      listKey={listKey}
      load={async (ask) => windowOf(list.rows, ask, order, keyOf)}
      keyOf={keyOf}
      sort={sort ?? null}
      onSort={(next) => store.write({ sort: next }, "replace")}
      marked={null}
      onMark={(row) => {
        const index = list.callOf?.(row);
        if (index === undefined) return;
        const of = { ...state.of, [CALL]: String(index) };
        store.write({ table: "calls", sort: null, of }, "push");
      }}
      nothing={list.filledBy}
    />
  );
}
