// What stands at the right of a panel's head: saving, searching, opening rows.

import type { RefObject } from "preact";
import type { Store } from "../state/location";
import type { State } from "../state/url";
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
