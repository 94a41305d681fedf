// The rows of a long list that are here so far, and which of the others to ask for.

/** Some of the rows of a list, from place `first`. */
export interface RowWindow<T> {
  total: number;
  first: number;
  rows: readonly T[];
  /** Length of the whole list, where nobody gives more than its beginning. */
  outOf?: number;
}

/** Rows asked for at once. */
export const PAGE = 200;

/** Rows kept; the furthest from those in view are given up. */
const KEPT = 20_000;

/** A list of which windows have come. */
export interface Held<T> {
  total: number;
  outOf: number;
  rows: ReadonlyMap<number, T>;
  /** Pages that were answered, whatever the answer held: they are not asked for again. */
  answered: ReadonlySet<number>;
}

/** `held` with one more window; `page` is the one that was asked for, if one was. */
export function withWindow<T>(
  held: Held<T> | null,
  window: RowWindow<T>,
  page: number | null,
): Held<T> {
  const rows = new Map(held?.total === window.total ? held.rows : []);
  const answered = new Set(held?.total === window.total ? held.answered : []);
  window.rows.forEach((row, at) => {
    rows.set(window.first + at, row);
  });
  if (page !== null) answered.add(page);
  // Around a row the window begins anywhere: the pages that it covers are here as well.
  const end = window.first + window.rows.length;
  for (let at = Math.ceil(window.first / PAGE); isWhole(at, end, window.total); at += 1) {
    answered.add(at);
  }
  if (rows.size > KEPT) {
    const middle = window.first + window.rows.length / 2;
    for (const at of [...rows.keys()]) {
      if (Math.abs(at - middle) > KEPT / 2) rows.delete(at);
    }
    for (const at of [...answered]) if (!rows.has(at * PAGE)) answered.delete(at);
  }
  return { total: window.total, outOf: window.outOf ?? window.total, rows, answered };
}

function isWhole(page: number, end: number, total: number): boolean {
  return page * PAGE < total && Math.min(total, (page + 1) * PAGE) <= end;
}

/** The first page that rows `first` to `last` (not included) need and that has not come; or null. */
export function neededPage<T>(held: Held<T>, first: number, last: number): number | null {
  for (let at = Math.max(0, first); at < Math.min(held.total, last); at += 1) {
    const page = Math.floor(at / PAGE);
    if (!held.rows.has(at) && !held.answered.has(page)) return page;
  }
  return null;
}

/** The place of the row with `key`; null where it has not come. */
export function placeOfKey<T>(
  held: Held<T>,
  key: number,
  keyOf: (row: T) => number,
): number | null {
  for (const [place, row] of held.rows) if (keyOf(row) === key) return place;
  return null;
}

/** Browsers draw no box higher than some 16 million pixels; beyond, a pixel stands for more. */
const HIGHEST = 12_000_000;

/** How far a box of `view` pixels scrolls through `full` pixels of rows. */
export interface Scrolling {
  /** Pixels of the box's content. */
  height: number;
  /** Where the rows' pixels begin that are at the upper edge. */
  realTop: (scrollTop: number) => number;
  scrollTop: (realTop: number) => number;
}

export function scrollingOf(full: number, view: number): Scrolling {
  const height = Math.min(full, HIGHEST);
  const times = height < full ? (full - view) / Math.max(1, height - view) : 1;
  return { height, realTop: (top) => top * times, scrollTop: (top) => top / times };
}

interface Order<T> {
  /** What is sorted by. */
  valueOf: (row: T) => number | string | null;
  descending: boolean;
}

/** Sorts and cuts a list that is here as a route would. */
export function windowOf<T>(
  rows: readonly T[],
  ask: { first: number; count: number; at: number | null },
  order: Order<T> | null,
  keyOf: (row: T) => number,
): RowWindow<T> {
  const sorted = order === null ? rows : rows.toSorted((a, b) => compare(a, b, order));
  const place = ask.at === null ? -1 : sorted.findIndex((row) => keyOf(row) === ask.at);
  const middle = Math.max(0, place - Math.floor(ask.count / 2));
  const first = ask.at === null ? ask.first : middle;
  return { total: rows.length, first, rows: sorted.slice(first, first + ask.count) };
}

/** Sorts by the field that a column names, as the routes do. */
export function byField<T extends object>(
  sort: { column: string; descending: boolean } | null,
): Order<T> | null {
  return (
    sort && {
      descending: sort.descending,
      valueOf: (row) => {
        const value: unknown = row[sort.column as keyof T];
        return typeof value === "number" || typeof value === "string" ? value : null;
      },
    }
  );
}

function compare<T>(a: T, b: T, order: Order<T>): number {
  const [left, right] = [order.valueOf(a), order.valueOf(b)];
  // What is not known comes last in either order.
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  const both =
    typeof left === "number" && typeof right === "number"
      ? left - right
      : String(left).localeCompare(String(right));
  return order.descending ? -both : both;
}
