// What stands at the right of a panel's head: saving, searching, opening rows.

import type { RefObject } from "preact";
import type { Store } from "../state/location";
import type { Sort, State } from "../state/url";
import { SearchBox } from "./controls";

/** Buttons that save the figures, exact, and the chart as a picture where there is one. */
export function SaveButtons(props: { csvHint: string; onCsv: () => void; onPng?: () => void }) {
  return (
    <>
      <button type="button" title={props.csvHint} onClick={props.onCsv}>
        CSV
      </button>
      {props.onPng && (
        <button type="button" title="The chart as a picture" onClick={props.onPng}>
          PNG
        </button>
      )}
    </>
  );
}

/** Which run the tables of a page show, to be chosen where there are several. */
export function RunChoice(props: {
  /** What stands before it: "in", "of". */
  word: string;
  runs: readonly { id: string; label: string }[];
  shown: string;
  onShow: (id: string) => void;
}) {
  return (
    <span class="shown">
      {props.word}{" "}
      <select
        aria-label="Run of the tables"
        value={props.shown}
        onChange={(event) => props.onShow(event.currentTarget.value)}
      >
        {props.runs.map((run) => (
          <option key={run.id} value={run.id}>
            {run.label}
          </option>
        ))}
      </select>
    </span>
  );
}

/** What a tree table shows is in the link: its order, its search and its open rows. */
export function treeState(state: State, store: Store) {
  return {
    sort: state.sort,
    search: state.search,
    open: state.open,
    onSort: (sort: Sort | null) => store.write({ sort }, "replace"),
    onOpen: (open: readonly string[]) => store.write({ open }, "replace"),
  };
}

/** The search, the button that opens or closes all rows, and the CSV of the tree table in `box`. */
export function TreeControls(props: {
  state: State;
  store: Store;
  box: RefObject<HTMLElement | null>;
  openable: readonly string[];
  csvHint: string;
  onCsv: () => void;
}) {
  const { state, store, box, openable } = props;
  const hasOpen = state.open.length > 0;
  return (
    <>
      <SearchBox
        value={state.search}
        placeholder="Search names"
        onChange={(search) => store.write({ search }, "replace")}
        onLeave={() => box.current?.querySelector<HTMLElement>(".table")?.focus()}
      />
      <span class="space" />
      {openable.length > 0 && (
        <button
          type="button"
          onClick={() => store.write({ open: hasOpen ? [] : openable }, "replace")}
        >
          {hasOpen ? "Close all" : "Open all"}
        </button>
      )}
      <SaveButtons csvHint={props.csvHint} onCsv={props.onCsv} />
    </>
  );
}
