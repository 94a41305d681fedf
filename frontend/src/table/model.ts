// What a table shows: a tree flattened into the rows that are open, sorted and searched.

import type { Sort } from "../state/url";

/** A row as any tree table takes it: `data` is what the columns read. */
export interface Node<T> {
  /** Unique among its siblings and the same at each reading. */
  id: string;
  name: string;
  data: T;
  children: readonly Node<T>[];
}

/** A node as it stands in the table. */
export interface VisibleRow<T> {
  node: Node<T>;
  /** The ids from the root, joined: unique in the table. */
  key: string;
  depth: number;
  isOpen: boolean;
  isLeaf: boolean;
  /** Number of rows with the same parent and the place among them, from 1. */
  siblings: number;
  position: number;
}

/** A value to sort by: numbers by size, text by alphabet, null last. */
export type Value = number | string | null;

export interface Query<T> {
  sort: Sort | null;
  /** What a column gives for a row; null for a column that nobody knows. */
  valueOf(column: string, row: T): Value;
  /** Lower-case words, all of which a row or what is around it must hold. */
  search: string;
  open: ReadonlySet<string>;
}

const SEPARATOR = "\u001f";

/** The key of a row below `parent`. */
export function keyOf(parent: string, id: string): string {
  return parent === "" ? id : parent + SEPARATOR + id;
}

/** Nodes of `rows`; where siblings share a name, the later ones get ids of their own. */
export function toNodes<T>(
  rows: readonly T[],
  nameOf: (row: T) => string,
  childrenOf: (row: T) => readonly Node<T>[],
): Node<T>[] {
  const seen = new Map<string, number>();
  return rows.map((data) => {
    const name = nameOf(data);
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return { id: times > 1 ? `${name}#${times}` : name, name, data, children: childrenOf(data) };
  });
}

/**
 * The rows to show, top to bottom. While searching, a row stays that holds the words, or stands
 * above or below one that does, and the way to it is open.
 */
export function visibleRows<T>(roots: readonly Node<T>[], query: Query<T>): VisibleRow<T>[] {
  const words = query.search.toLowerCase().split(/\s+/).filter(Boolean);
  const rows: VisibleRow<T>[] = [];
  const compare = comparison(query);

  function holds(node: Node<T>): boolean {
    const name = node.name.toLowerCase();
    return words.every((word) => name.includes(word));
  }

  function isOnTheWay(node: Node<T>): boolean {
    return holds(node) || node.children.some(isOnTheWay);
  }

  function walk(nodes: readonly Node<T>[], parent: string, depth: number, found: boolean): void {
    const kept = words.length === 0 || found ? nodes : nodes.filter(isOnTheWay);
    const sorted = compare ? kept.toSorted(compare) : kept;
    sorted.forEach((node, index) => {
      const key = keyOf(parent, node.id);
      const isLeaf = node.children.length === 0;
      const here = words.length > 0 && holds(node);
      const leads = words.length > 0 && !found && !here;
      const isOpen = !isLeaf && (leads || query.open.has(key));
      rows.push({
        node,
        key,
        depth,
        isOpen,
        isLeaf,
        siblings: sorted.length,
        position: index + 1,
      });
      if (isOpen) walk(node.children, key, depth + 1, found || here);
    });
  }

  walk(roots, "", 0, false);
  return rows;
}

function comparison<T>(query: Query<T>): ((a: Node<T>, b: Node<T>) => number) | null {
  const { sort } = query;
  if (sort === null) return null;
  return (a, b) => {
    const left = query.valueOf(sort.column, a.data);
    const right = query.valueOf(sort.column, b.data);
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    const order =
      typeof left === "number" && typeof right === "number"
        ? left - right
        : String(left).localeCompare(String(right));
    return sort.descending ? -order : order;
  };
}

/** Every key of the tree below `roots` down to `depth` levels that can be opened. */
export function openableKeys<T>(roots: readonly Node<T>[], depth = Infinity): string[] {
  const keys: string[] = [];
  function walk(nodes: readonly Node<T>[], parent: string, level: number): void {
    if (level >= depth) return;
    for (const node of nodes) {
      if (node.children.length === 0) continue;
      const key = keyOf(parent, node.id);
      keys.push(key);
      walk(node.children, key, level + 1);
    }
  }
  walk(roots, "", 0);
  return keys;
}

/**
 * Makes a tree of a flat list: a row's parent is the one of the next smaller depth whose path its
 * own path begins with. A row without such a parent is a root, so nothing is lost.
 */
export function treeByPath<T extends { path: string; name: string; depth: number }>(
  rows: readonly T[],
): Node<T>[] {
  const nodes = rows.map((row) => ({
    id: row.path,
    name: row.name,
    data: row,
    children: [] as Node<T>[],
  }));
  const byPath = new Map(nodes.map((node) => [node.data.path, node]));
  const roots: Node<T>[] = [];
  for (const node of nodes) {
    const parent = parentOf(node.data.path, node.data.depth, byPath);
    (parent?.children ?? roots).push(node);
    // What it adds to its parent's path tells it from its siblings.
    if (parent) node.id = node.data.path.slice(parent.data.path.length);
  }
  return roots;
}

function parentOf<N extends { data: { depth: number } }>(
  path: string,
  depth: number,
  byPath: ReadonlyMap<string, N>,
): N | null {
  for (let end = path.length - 1; end > 0; end -= 1) {
    // Only at a separator: `layers.1` is no parent of `layers.10.mlp`.
    if (/\w/.test(path.charAt(end))) continue;
    const above = byPath.get(path.slice(0, end));
    if (above !== undefined && above.data.depth < depth) return above;
  }
  return null;
}
