// How calls of each kind and axis are drawn, and what a legend calls them.

import type { Look } from "../../drawing/plot";
import {
  AXIS_ORDER,
  axisInside,
  inOrderOf,
  KIND_ORDER,
  kindColor,
  kindShape,
  NONE,
  titleOf,
} from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import type { Key } from "./drawn";

export function lookOf({ kind, axis }: Key, mode: Mode): Look {
  return { color: kindColor(kind, mode), shape: kindShape(kind), inside: axisInside(axis) };
}

/** What calls of a kind and axis are called; the axis of plain sequences goes without saying. */
export function nameOf({ kind, axis }: Key): string {
  const of = titleOf(kind, "unknown kind");
  return axis === null || axis === "sequence" ? of : `${of}, ${titleOf(axis)}`;
}

/** Keys in the order of a legend; those that look alike once, under the names of all. */
export function legendOf(keys: readonly Key[], mode: Mode): { look: Look; name: string }[] {
  const kinds = inOrderOf(
    KIND_ORDER,
    keys.map((key) => key.kind ?? NONE),
  );
  const axes = inOrderOf(
    AXIS_ORDER,
    keys.map((key) => key.axis ?? NONE),
  );
  const sorted = [...keys].sort(
    (a, b) =>
      kinds.indexOf(a.kind ?? NONE) - kinds.indexOf(b.kind ?? NONE) ||
      axes.indexOf(a.axis ?? NONE) - axes.indexOf(b.axis ?? NONE),
  );
  const entries = new Map<string, { look: Look; names: string[] }>();
  for (const key of sorted) {
    const look = lookOf(key, mode);
    const text = `${look.color} ${look.shape} ${look.inside}`;
    const entry = entries.get(text) ?? { look, names: [] };
    const name = nameOf(key);
    if (!entry.names.includes(name)) entry.names.push(name);
    entries.set(text, entry);
  }
  return [...entries.values()].map(({ look, names }) => ({ look, name: names.join(" or ") }));
}
