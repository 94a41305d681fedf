// A table of a tree. Only the rows in view are in the document, so that thousands stay quick.

import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { copyText } from "../browser";
import { shortenMiddle } from "../format";
import type { Sort } from "../state/url";
import { type Node, type Value, type VisibleRow, visibleRows } from "../table/model";
import { Head, OVERSCAN, ROW_HEIGHT, useView } from "../table/parts";

/** A column beside the name. */
export interface Column<T> {
  id: string;
  /** With the unit. */
  title: string;
  hint: string;
  /** Pixels; a growing column takes more where there is room. */
  width: number;
  grows?: boolean;
  isNumber: boolean;
  value: (row: T) => Value;
  show: (row: T) => ComponentChildren;
  /** What the pointer shows: the exact value. */
  exact?: (row: T) => string;
}

interface Props<T> {
  label: string;
  /** Title of the first column. */
  nameTitle: string;
  nodes: readonly Node<T>[];
  columns: readonly Column<T>[];
  /** The name in at most so many letters; its middle is left out where this is not given. */
  shorten?: (row: T, letters: number) => string;
  /** A colour before the name, or null. */
  swatchOf?: (row: T, depth: number) => string | null;
  sort: Sort | null;
  search: string;
  open: readonly string[];
  onSort: (sort: Sort | null) => void;
  onOpen: (open: readonly string[]) => void;
  /** Shown in place of rows when nothing holds the searched words. */
  nothing: string;
}

const INDENT = 16;
/** Mean width of a letter at 13 px. */
const LETTER = 6;
const NAME_MIN = 260;
/** Wider, and the eye loses the row on its way to the figures. */
const NAME_MAX = 860;

export function TreeTable<T>(props: Props<T>) {
  const { nodes, columns, sort, search, open } = props;
  const rows = useMemo(() => {
    const byId = new Map(columns.map((column) => [column.id, column]));
    return visibleRows(nodes, {
      sort,
      search,
      open: new Set(open),
      valueOf: (column, row) => byId.get(column)?.value(row) ?? null,
    });
  }, [nodes, columns, sort, search, open]);

  const body = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const view = useView(body);
  const first = Math.max(0, Math.floor(view.top / ROW_HEIGHT) - OVERSCAN);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / ROW_HEIGHT) + OVERSCAN);
  const activeIndex = Math.max(
    0,
    rows.findIndex((row) => row.key === active),
  );

  const others = columns.reduce((sum, column) => sum + column.width, 0);
  const nameWidth = Math.min(NAME_MAX, Math.max(NAME_MIN, view.width - others));
  // In pixels, so that the columns of all rows are in line whatever the rows hold.
  const spare = Math.max(0, view.width - others - nameWidth);
  const share = Math.floor(spare / Math.max(1, columns.filter((column) => column.grows).length));
  const widths = columns.map((column) => `${column.width + (column.grows ? share : 0)}px`);
  const grid = { gridTemplateColumns: [`${nameWidth}px`, ...widths].join(" ") };

  function toggle(row: VisibleRow<T>): void {
    if (row.isLeaf) return;
    props.onOpen(row.isOpen ? open.filter((key) => key !== row.key) : [...open, row.key]);
  }

  function goTo(index: number): void {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    const box = body.current;
    if (row === undefined || box === null) return;
    setActive(row.key);
    const top = rows.indexOf(row) * ROW_HEIGHT;
    if (top < box.scrollTop) box.scrollTop = top;
    // The header sticks to the upper edge and takes a row's height of the view.
    const below = top + 2 * ROW_HEIGHT - box.clientHeight;
    if (box.clientHeight > 0 && below > box.scrollTop) box.scrollTop = below;
  }

  function onKeyDown(event: KeyboardEvent): void {
    const row = rows[activeIndex];
    if (row === undefined) return;
    const page = Math.max(1, Math.floor(view.height / ROW_HEIGHT) - 2);
    const parent = rows.findLastIndex((other, at) => at < activeIndex && other.depth < row.depth);
    const keys: Record<string, () => void> = {
      ArrowDown: () => goTo(activeIndex + 1),
      ArrowUp: () => goTo(activeIndex - 1),
      PageDown: () => goTo(activeIndex + page),
      PageUp: () => goTo(activeIndex - page),
      Home: () => goTo(0),
      End: () => goTo(rows.length - 1),
      ArrowRight: () => (row.isOpen ? goTo(activeIndex + 1) : toggle(row)),
      ArrowLeft: () => (row.isOpen ? toggle(row) : parent >= 0 && goTo(parent)),
      Enter: () => toggle(row),
      " ": () => toggle(row),
    };
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  /** Copies the whole name where a person copied a shortened one. */
  function onCopy(event: ClipboardEvent): void {
    const selection = document.getSelection();
    const row = rows[activeIndex];
    const anchor = selection?.anchorNode?.parentElement?.closest<HTMLElement>("[data-whole]");
    const isOneCell = anchor?.contains(selection?.focusNode ?? null) ?? false;
    const text = selection?.isCollapsed !== false ? row?.node.name : anchor?.dataset.whole;
    if (text === undefined || (selection?.isCollapsed === false && !isOneCell)) return;
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  }

  return (
    <div
      ref={body}
      class="table"
      role="treegrid"
      aria-label={props.label}
      aria-rowcount={rows.length}
      tabIndex={0}
      aria-activedescendant={rows[activeIndex] ? rowId(props.label, activeIndex) : undefined}
      onKeyDown={onKeyDown}
      onCopy={onCopy}
    >
      <div class="head row" role="row" style={grid}>
        <Head
          id="name"
          title={props.nameTitle}
          hint="By name"
          isNumber={false}
          sort={sort}
          onSort={props.onSort}
        />
        {columns.map((column) => (
          <Head key={column.id} {...column} sort={sort} onSort={props.onSort} />
        ))}
      </div>
      {rows.length === 0 && <p class="nothing">{props.nothing}</p>}
      <div style={{ height: `${first * ROW_HEIGHT}px` }} />
      {rows.slice(first, last).map((row, offset) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it takes the keys.
        <div
          key={row.key}
          id={rowId(props.label, first + offset)}
          class={`row depth-${Math.min(row.depth, 3)}`}
          role="row"
          tabIndex={-1}
          aria-level={row.depth + 1}
          aria-posinset={row.position}
          aria-setsize={row.siblings}
          aria-expanded={row.isLeaf ? undefined : row.isOpen}
          aria-selected={first + offset === activeIndex}
          style={grid}
          onClick={() => {
            setActive(row.key);
            if (document.getSelection()?.isCollapsed !== false) toggle(row);
          }}
        >
          <Name
            row={row}
            swatch={props.swatchOf?.(row.node.data, row.depth) ?? null}
            shorten={props.shorten}
            letters={Math.floor((nameWidth - row.depth * INDENT - 76) / LETTER)}
          />
          {columns.map((column) => (
            <div
              key={column.id}
              role="gridcell"
              class={column.isNumber ? "number" : "text"}
              title={column.exact?.(row.node.data)}
            >
              {column.show(row.node.data)}
            </div>
          ))}
        </div>
      ))}
      <div style={{ height: `${(rows.length - last) * ROW_HEIGHT}px` }} />
    </div>
  );
}

function rowId(label: string, index: number): string {
  return `${label.replace(/\W+/g, "-")}-${index}`;
}

function Name<T>(props: {
  row: VisibleRow<T>;
  swatch: string | null;
  shorten: ((row: T, letters: number) => string) | undefined;
  letters: number;
}) {
  const { row, shorten } = props;
  const letters = Math.max(16, props.letters);
  const name = row.node.name;
  return (
    <div
      role="gridcell"
      class="name"
      title={name}
      style={{ paddingLeft: `${8 + row.depth * INDENT}px` }}
    >
      <span class="twist" aria-hidden="true">
        {row.isLeaf ? "" : row.isOpen ? "▾" : "▸"}
      </span>
      {props.swatch && <i class="swatch" style={{ background: props.swatch }} />}
      <span class="label" data-whole={name}>
        {shorten ? shorten(row.node.data, letters) : shortenMiddle(name, letters)}
      </span>
      <button
        type="button"
        class="copy"
        tabIndex={-1}
        title="Copy the whole name"
        aria-label={`Copy ${name}`}
        onClick={(event) => {
          event.stopPropagation();
          copyText(name);
        }}
      >
        copy
      </button>
    </div>
  );
}
