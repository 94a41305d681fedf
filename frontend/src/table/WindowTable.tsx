// A table of any number of rows, of which only windows are asked for: sorted by whoever gives them.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { count } from "../format";
import type { Sort } from "../state/url";
import { type LoadWindow, WindowList } from "./list";
import { Head, OVERSCAN, ROW_HEIGHT, useView } from "./parts";
import { placeOfKey, scrollingOf } from "./windows";

export type { WindowAsk } from "./list";
export type { RowWindow } from "./windows";

export interface WindowColumn<T> {
  /** Also the name that the route sorts by. */
  id: string;
  /** With the unit. */
  title: string;
  hint: string;
  /** Pixels; a growing column takes more where there is room. */
  width: number;
  grows?: boolean;
  isNumber: boolean;
  isSortable?: boolean;
  show: (row: T) => ComponentChildren;
  /** What the pointer shows and what is copied: the exact value. */
  exact?: (row: T) => string;
}

export interface WindowTableProps<T> {
  label: string;
  columns: readonly WindowColumn<T>[];
  /** Names the list and its order: where it changes, all is asked for anew. */
  listKey: string;
  load: LoadWindow<T>;
  keyOf: (row: T) => number;
  sort: Sort | null;
  /** Null where the list cannot be sorted. */
  onSort: ((sort: Sort | null) => void) | null;
  /** Key of the row that is marked and brought into view. */
  marked: number | null;
  onMark: (row: T) => void;
  /** Shown in place of rows when there is none. */
  nothing: string;
  /** Said where the marked row is not in the list. */
  lost?: string;
}

export function WindowTable<T>(props: WindowTableProps<T>) {
  const { columns, keyOf, marked, label } = props;
  const body = useRef<HTMLDivElement>(null);
  const view = useView(body);
  const [active, setActive] = useState(0);
  const list = useList(props);
  const { held, isStale, error } = list;
  const total = held?.total ?? 0;
  // The header sticks to the upper edge and takes a row's height of the view.
  const inside = view.height - ROW_HEIGHT;
  const scrolling = scrollingOf(total * ROW_HEIGHT, inside);
  const realTop = scrolling.realTop(view.top);
  const first = Math.max(0, Math.floor(realTop / ROW_HEIGHT) - OVERSCAN);
  const last = Math.min(total, Math.ceil((realTop + view.height) / ROW_HEIGHT) + OVERSCAN);
  const above = Math.max(0, Math.min(view.top, scrolling.height) - (realTop - first * ROW_HEIGHT));

  useEffect(() => list.want(first, last));

  function show(place: number): void {
    const box = body.current;
    if (box === null || box.clientHeight === 0) return;
    const top = place * ROW_HEIGHT;
    const now = scrolling.realTop(box.scrollTop);
    if (top < now || top + ROW_HEIGHT > now + box.clientHeight - ROW_HEIGHT) {
      box.scrollTop = scrolling.scrollTop(Math.max(0, top - inside / 2));
    }
  }

  // The marked row is brought into view once it is here, and not again when one scrolls on.
  const shown = useRef<string | null>(null);
  const place = held && marked !== null ? placeOfKey(held, marked, keyOf) : null;
  useLayoutEffect(() => {
    if (marked === null) shown.current = null;
    if (place === null || isStale || shown.current === String(marked)) return;
    shown.current = String(marked);
    setActive(place);
    show(place);
  });

  // Another list begins at its top.
  const listed = useRef(props.listKey);
  useLayoutEffect(() => {
    if (listed.current === props.listKey) return;
    listed.current = props.listKey;
    if (body.current) body.current.scrollTop = 0;
    setActive(0);
  }, [props.listKey]);

  function goTo(next: number): void {
    const at = Math.min(total - 1, Math.max(0, next));
    setActive(at);
    const box = body.current;
    if (box === null || box.clientHeight === 0) return;
    const now = scrolling.realTop(box.scrollTop);
    const [top, below] = [at * ROW_HEIGHT, (at + 2) * ROW_HEIGHT - box.clientHeight];
    if (top < now) box.scrollTop = scrolling.scrollTop(top);
    else if (below > now) box.scrollTop = Math.ceil(scrolling.scrollTop(below));
  }

  function onKeyDown(event: KeyboardEvent): void {
    const row = held?.rows.get(active);
    const page = Math.max(1, Math.floor(inside / ROW_HEIGHT) - 1);
    const keys: Record<string, () => void> = {
      ArrowDown: () => goTo(active + 1),
      ArrowUp: () => goTo(active - 1),
      PageDown: () => goTo(active + page),
      PageUp: () => goTo(active - page),
      Home: () => goTo(0),
      End: () => goTo(total - 1),
      Enter: () => row !== undefined && props.onMark(row),
      " ": () => row !== undefined && props.onMark(row),
    };
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  /** Copies the exact values of the row where nothing was selected. */
  function onCopy(event: ClipboardEvent): void {
    const row = held?.rows.get(active);
    if (row === undefined || document.getSelection()?.isCollapsed === false) return;
    const text = columns.map((column) => textOf(column, row)).join("\t");
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  }

  const room = columns.reduce((sum, column) => sum + column.width, 0);
  const growing = Math.max(1, columns.filter((column) => column.grows).length);
  const share = Math.floor(Math.max(0, view.width - room) / growing);
  const widths = columns.map((column) => `${column.width + (column.grows ? share : 0)}px`);
  const grid = { gridTemplateColumns: widths.join(" ") };
  const places = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  return (
    <>
      {error && (
        <p class="nothing" role="alert">
          The rows could not be read: {error.message}{" "}
          <button type="button" onClick={() => list.again()}>
            Try again
          </button>
        </p>
      )}
      {held !== null && held.outOf > total && (
        <p class="nothing">
          The first {count(total)} of {count(held.outOf)} rows: the report holds no more, and sorts
          these.
        </p>
      )}
      {list.lost !== null && props.lost !== undefined && <p class="nothing">{props.lost}</p>}
      <div
        ref={body}
        class={`table flat ${isStale ? "stale" : ""}`}
        role="grid"
        aria-label={label}
        aria-rowcount={total}
        aria-busy={held === null || isStale}
        tabIndex={0}
        aria-activedescendant={total > 0 ? rowId(label, active) : undefined}
        onKeyDown={onKeyDown}
        onCopy={onCopy}
      >
        <div class="head row" role="row" style={grid}>
          {columns.map((column) => (
            <Head
              key={column.id}
              {...column}
              sort={props.sort}
              onSort={column.isSortable === false ? null : props.onSort}
            />
          ))}
        </div>
        {held !== null && total === 0 && <p class="nothing">{props.nothing}</p>}
        <div style={{ height: `${Math.round(scrolling.height)}px` }}>
          <div style={{ height: `${above}px` }} />
          {places.map((at) => {
            const row = held?.rows.get(at);
            const isMarked = row !== undefined && marked !== null && keyOf(row) === marked;
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it takes the keys.
              <div
                key={at}
                id={rowId(label, at)}
                class={`row ${isMarked ? "marked" : ""}`}
                role="row"
                tabIndex={-1}
                aria-rowindex={at + 1}
                aria-selected={at === active}
                aria-current={isMarked}
                style={grid}
                onClick={() => {
                  setActive(at);
                  const isReading = document.getSelection()?.isCollapsed === false;
                  if (row !== undefined && !isReading) props.onMark(row);
                }}
              >
                {row !== undefined &&
                  columns.map((column) => (
                    <div
                      key={column.id}
                      role="gridcell"
                      class={column.isNumber ? "number" : "text"}
                      title={column.exact?.(row)}
                    >
                      {column.show(row)}
                    </div>
                  ))}
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}

function textOf<T>(column: WindowColumn<T>, row: T): string {
  if (column.exact) return column.exact(row);
  const shown = column.show(row);
  return typeof shown === "string" || typeof shown === "number" ? String(shown) : "";
}

function rowId(label: string, index: number): string {
  return `${label.replace(/\W+/g, "-")}-${index}`;
}

/** The rows that are here; `ask` makes those between two places come. */
function useList<T>(props: WindowTableProps<T>): WindowList<T> {
  const { listKey, marked } = props;
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [list] = useState(() => new WindowList<T>(() => redraw(undefined)));
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const { load, keyOf, marked: at } = latest.current;
    list.begin(listKey, load, keyOf, at);
  }, [list, listKey]);
  useEffect(() => list.find(marked), [list, marked]);
  useEffect(() => () => list.stop(), [list]);
  return list;
}
