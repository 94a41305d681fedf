// The tables below the charts: aligned calls and those of one run only, shapes, groups, categories.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import type { AlignedCall, Speedup, UnalignedCall } from "../../api/speedup";
import { downloadCsv, fileName } from "../../browser";
import { Segmented } from "../../components/controls";
import { SaveButtons, TreeControls, treeState } from "../../components/panel";
import { type Column, TreeTable } from "../../components/TreeTable";
import { count } from "../../format";
import type { Store } from "../../state/location";
import { DEFAULT_STATE, type State } from "../../state/url";
import { type Node, toNodes } from "../../table/model";
import { paintOf } from "../../theme/colors";
import { showInPerfetto, spanOfIndex } from "../trace/link";
import { allCalls, Calls, keyOf, type Source, type Which } from "./Calls";
import { categoryColumns, groupColumns, groupTitle, type OpenCall, shapeColumns } from "./columns";
import { alignedCsv, categoriesCsv, groupsCsv, shapesCsv, unalignedCsv } from "./export";

/** Number of the baseline's call that is marked. */
const CALL = "speedup_call";

/** A table whose rows are all here; what depends on their type is inside. */
interface Listed {
  nameTitle: string;
  nodes: readonly Node<unknown>[];
  columns: readonly Column<unknown>[];
  swatchOf?: (row: unknown) => string | null;
  csv: () => string;
  filledBy: string;
}

function listed<T>(made: {
  nameTitle: string;
  rows: readonly T[];
  nameOf: (row: T) => string;
  columns: readonly Column<T>[];
  swatchOf?: (row: T) => string | null;
  csv: () => string;
  filledBy: string;
}): Listed {
  const { rows, nameOf, ...rest } = made;
  return { ...rest, nodes: toNodes(rows, nameOf, () => []) } as unknown as Listed;
}

const LISTS: Readonly<Record<string, (speedup: Speedup) => Listed>> = {
  shapes: (speedup) =>
    listed({
      nameTitle: "shape",
      rows: speedup.shapes,
      nameOf: (row) => row.name ?? "not known",
      columns: shapeColumns(speedup.shapes),
      csv: () => shapesCsv(speedup.shapes),
      filledBy: "No aligned call. Record both runs with record_shapes=True.",
    }),
  groups: (speedup) =>
    listed({
      nameTitle: "calls that are alike",
      rows: speedup.groups,
      nameOf: groupTitle,
      columns: groupColumns(speedup.groups),
      csv: () => groupsCsv(speedup.groups),
      filledBy: "No aligned call. Record both runs with record_shapes=True.",
    }),
  categories: (speedup) =>
    listed({
      nameTitle: "category",
      rows: speedup.categories,
      nameOf: (row) => row.category,
      columns: categoryColumns(speedup.categories),
      swatchOf: (row) => paintOf(row.category).fill,
      csv: () => categoriesCsv(speedup.categories),
      filledBy: "The runs were recorded in different ways: only their wall times are compared.",
    }),
};

export function Tables(props: {
  source: Source;
  speedup: Speedup;
  labels: readonly [string, string];
  state: State;
  store: Store;
}) {
  const { source, speedup, labels, state, store } = props;
  const box = useRef<HTMLElement>(null);
  const [error, setError] = useState<string | null>(null);
  const apart = speedup.unaligned_baseline + speedup.unaligned_fused;
  const choices = [
    {
      id: "aligned",
      title: `Aligned calls (${count(speedup.aligned)})`,
      hint: "Calls of both runs",
    },
    { id: "unaligned", title: `Not aligned (${count(apart)})`, hint: "Calls that one run makes" },
    { id: "shapes", title: "Shapes", hint: "Aligned calls of one shape together" },
    { id: "groups", title: "Groups", hint: "By component, kind, axis, phase and pass" },
    { id: "categories", title: "Categories", hint: "All time, by category" },
  ].filter(({ id }) => id === "aligned" || id === "unaligned" || speedup.basis !== null);
  const chosen = choices.find((choice) => choice.id === state.table)?.id;
  const table = chosen ?? (speedup.aligned === 0 && apart > 0 ? "unaligned" : "aligned");
  const made = useMemo(() => LISTS[table]?.(speedup) ?? null, [table, speedup]);
  const file = fileName("speedup", table, ...labels);
  const { base, fused } = source;

  const open: OpenCall = useCallback(
    (run, index) => {
      const { table, sort, search, open } = DEFAULT_STATE;
      const of = { ...store.read().of, call: String(index) };
      const shown = run === "baseline" ? base : fused;
      store.write({ page: "attention", shown, of, table, sort, search, open }, "push");
    },
    [store, base, fused],
  );

  const { client } = source;
  const trace: OpenCall = useCallback(
    async (run, index) => {
      const id = run === "baseline" ? base : fused;
      try {
        showInPerfetto(store, id, await spanOfIndex(client, id, index));
      } catch (failure) {
        setError(`The call could not be found: ${(failure as Error).message}`);
      }
    },
    [client, store, base, fused],
  );

  function choose(id: string): void {
    const { sort, search } = DEFAULT_STATE;
    store.write({ table: id, sort, search }, "push");
  }

  async function saveCalls(which: Which): Promise<void> {
    setError(null);
    try {
      const csv =
        which === "aligned"
          ? alignedCsv(await allCalls<AlignedCall>(source, which, null))
          : unalignedCsv(await allCalls<UnalignedCall>(source, which, null));
      downloadCsv(`${file}.csv`, csv);
    } catch (failed) {
      const reason = failed instanceof Error ? failed.message : String(failed);
      setError(`The calls could not be saved: ${reason}`);
    }
  }

  return (
    <section class="panel tables" ref={box}>
      <div class="panel-head">
        <Segmented label="Table" choices={choices} value={table} onChange={choose} />
        {made === null ? (
          <>
            {error && (
              <span class="soft" role="status">
                {error}
              </span>
            )}
            <span class="space" />
            <SaveButtons
              csvHint="All calls of this table, with exact figures"
              onCsv={() => saveCalls(table as Which)}
            />
          </>
        ) : (
          <TreeControls
            state={state}
            store={store}
            box={box}
            openable={[]}
            csvHint="All rows of this table, with exact figures"
            onCsv={() => downloadCsv(`${file}.csv`, made.csv())}
          />
        )}
      </div>
      {apart > 0 && table !== "categories" && (
        <Reasons
          speedup={speedup}
          isOpen={table === "unaligned"}
          onShow={() => choose("unaligned")}
        />
      )}
      {made === null ? (
        <Calls
          source={source}
          speedup={speedup}
          which={table as Which}
          sort={state.sort}
          onSort={(sort) => store.write({ sort }, "replace")}
          marked={table === "aligned" ? numberOf(state.of[CALL]) : null}
          onMark={(call) => {
            if ("baseline_index" in call) {
              const of = { ...store.read().of, [CALL]: String(keyOf(call)) };
              store.write({ of }, "replace");
            }
          }}
          onOpen={open}
          onTrace={client.isLive ? trace : null}
        />
      ) : made.nodes.length === 0 ? (
        <p class="hint">{made.filledBy}</p>
      ) : (
        <TreeTable
          label={table}
          nameTitle={made.nameTitle}
          nodes={made.nodes}
          columns={made.columns}
          {...(made.swatchOf ? { swatchOf: made.swatchOf } : {})}
          {...treeState(state, store)}
          nothing="No row has these words in its name. Esc clears the search."
        />
      )}
    </section>
  );
}

/** Why calls have no partner: above every table of calls, since it says what these leave out. */
function Reasons(props: { speedup: Speedup; isOpen: boolean; onShow: () => void }) {
  const { speedup, isOpen, onShow } = props;
  const reasons = Object.entries(speedup.unaligned_reasons);
  return (
    <p class="facts">
      <span>
        not aligned: <b>{count(speedup.unaligned_baseline)}</b> of the baseline,{" "}
        <b>{count(speedup.unaligned_fused)}</b> of the fused run
      </span>
      {reasons.map(([reason, calls]) => (
        <span key={reason}>
          {reason}: <b>{count(calls)}</b>
        </span>
      ))}
      {!isOpen && (
        <button type="button" class="link" onClick={onShow}>
          show them
        </button>
      )}
    </p>
  );
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
