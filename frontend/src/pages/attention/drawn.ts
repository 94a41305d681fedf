// The calls of a run as they are drawn: the whole sequence, with a stretch of it in more detail.

import type { Sequence, Series, SeriesGroup } from "../../api/attention";
import { lowerBound, type PointColumns } from "../../drawing/plot";
import type { Stretch } from "../../drawing/stretch";
import type { Along } from "./view";

/** Calls as columns of equal length, in order. */
export interface Drawn {
  place: readonly number[];
  index: readonly number[];
  start_ns: readonly number[];
  q_len: readonly number[];
  kv_len: readonly number[];
  time_ns: readonly number[];
  /** What each call is of. */
  of: readonly SeriesGroup[];
}

export function drawnOf(series: Series): Drawn {
  const { place, index, start_ns, q_len, kv_len, time_ns } = series;
  const of = series.group.map((at) => series.groups[at] as SeriesGroup);
  return { place, index, start_ns, q_len, kv_len, time_ns, of };
}

/** `coarse`, with `fine` in place of what it has there. */
export function joined(coarse: Drawn, fine: Drawn): Drawn {
  const [first, last] = [fine.place[0], fine.place.at(-1)];
  if (first === undefined || last === undefined) return coarse;
  const before = lowerBound(coarse.place, first);
  const after = lowerBound(coarse.place, last + 1);
  const join = <T>(of: (drawn: Drawn) => readonly T[]) => [
    ...of(coarse).slice(0, before),
    ...of(fine),
    ...of(coarse).slice(after),
  ];
  return {
    place: join((each) => each.place),
    index: join((each) => each.index),
    start_ns: join((each) => each.start_ns),
    q_len: join((each) => each.q_len),
    kv_len: join((each) => each.kv_len),
    time_ns: join((each) => each.time_ns),
    of: join((each) => each.of),
  };
}

/** What tells the looks of calls apart. */
export interface Key {
  kind: string | null;
  axis: string | null;
}

/** The distinct kinds and axes of calls that are drawn: a look each. */
export function keysOf(drawn: Iterable<Drawn>): Key[] {
  const found = new Map<string, Key>();
  for (const { of } of drawn) {
    // Calls of one answer share their groups, so most are seen at once.
    for (const { kind, axis } of new Set(of)) found.set(keyText({ kind, axis }), { kind, axis });
  }
  return [...found.values()];
}

export function keyText({ kind, axis }: Key): string {
  return `${kind} ${axis}`;
}

/** Points of `drawn`: `keys` says which look is whose. */
export function pointsOf(drawn: Drawn, along: Along, keys: readonly Key[]): PointColumns {
  const look = new Map(keys.map((key, at) => [keyText(key), at]));
  return {
    x: along === "time" ? drawn.start_ns : drawn.place,
    y: drawn.q_len,
    second: drawn.kv_len,
    look: drawn.of.map((of) => look.get(keyText(of)) ?? 0),
  };
}

/** First and last value of the x axis that `sequence` takes; a single call takes one unit. */
export function wholeOf(sequence: Sequence, along: Along): Stretch {
  const { series } = sequence;
  if (along === "calls") return [0, Math.max(1, series.total - 1)];
  const last = series.start_ns.length - 1;
  const from = series.start_ns[0] ?? 0;
  const to = (series.start_ns[last] ?? from) + (series.time_ns[last] ?? 0);
  return [from, Math.max(to, from + 1)];
}

/** The places that lie in a stretch of the x axis, and one more on either side. */
export function placesOf(series: Series, along: Along, [from, to]: Stretch): Stretch {
  const last = Math.max(0, series.total - 1);
  if (along === "calls") return [Math.max(0, from), Math.min(last, to)];
  const first = lowerBound(series.start_ns, from) - 1;
  const end = lowerBound(series.start_ns, to);
  return [series.place[first] ?? 0, series.place[end] ?? last];
}

/** More calls asked for than are in view, and they are too coarse. */
const MAX_TIMES = 3;

/** The stretch of places to ask for: with room to move in, or what was asked if that will do. */
export function askedFor(shown: Stretch, before: Stretch | null, total: number): Stretch {
  const span = shown[1] - shown[0] + 1;
  const isInside = before !== null && before[0] <= shown[0] && before[1] >= shown[1];
  if (isInside && before[1] - before[0] + 1 <= MAX_TIMES * span) return before;
  const room = Math.ceil(span / 2);
  return [Math.max(0, shown[0] - room), Math.min(total - 1, shown[1] + room)];
}

/** Where in `drawn` the call with `index` is; null where it is not drawn. */
export function placeOfCall(drawn: Drawn, index: number | null): number | null {
  if (index === null) return null;
  const at = lowerBound(drawn.index, index);
  return drawn.index[at] === index ? at : null;
}
