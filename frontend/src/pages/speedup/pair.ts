// Which two runs the page compares: chosen by hand in the link, else the first that is proposed.

import type { Pairing } from "../../api/speedup";
import type { Of } from "../../state/url";

/** The state's names, in the bag `of`. */
export const BASE = "speedup_base";
export const FUSED = "speedup_fused";
export const FROM = "speedup_from";

/** Chosen in place of a fused run: only what one run alone tells. */
export const ALONE = "none";

/** What the page shows: two runs, or one of which nothing but a prediction can be told. */
export interface Chosen {
  base: string;
  /** Null shows what could be gained. */
  fused: string | null;
  isByHand: boolean;
  /** Why these two, or why this one alone. */
  reason: string | null;
}

/** What a prediction takes speedups from: a pair of runs, or a table of measured times. */
export interface Origin {
  /** The runs to ask with, after the one that is predicted. */
  runs: readonly string[];
  table: string | null;
}

/** What to show of the runs `ids`; null while the proposal is awaited and nothing is chosen. */
export function chosenPair(
  ids: readonly string[],
  of: Of,
  pairing: Pairing | null,
  isAwaited: boolean,
): Chosen | null {
  const [first] = ids;
  if (first === undefined) return null;
  const base = known(of[BASE], ids);
  const fused = of[FUSED] === ALONE ? ALONE : known(of[FUSED], ids);
  if (base !== null && fused !== null && base !== fused) {
    const proposed = pairing?.pairs.find((pair) => pair.baseline === base && pair.fused === fused);
    return {
      base,
      fused: fused === ALONE ? null : fused,
      isByHand: true,
      reason: fused === ALONE ? null : (proposed?.reason ?? null),
    };
  }
  if (isAwaited) return null;
  const pair = pairing?.pairs.find(
    (each) => ids.includes(each.baseline) && ids.includes(each.fused),
  );
  if (pair) {
    return { base: pair.baseline, fused: pair.fused, isByHand: false, reason: pair.reason };
  }
  return {
    base: first,
    fused: null,
    isByHand: false,
    reason: ids.length > 1 ? (pairing?.alone[first] ?? null) : null,
  };
}

function known(id: string | undefined, ids: readonly string[]): string | null {
  return id !== undefined && ids.includes(id) ? id : null;
}

/** `of` with these two chosen; a run takes the other's place where both would be the same. */
export function withPair(
  of: Of,
  before: Chosen,
  change: Partial<Pick<Chosen, "base" | "fused">>,
): Of {
  let { base, fused } = { ...before, ...change };
  if (base === fused) {
    if (change.base !== undefined) fused = before.base === base ? null : before.base;
    else if (before.fused !== null) base = before.fused;
    else fused = null;
  }
  return { ...of, [BASE]: base, [FUSED]: fused ?? ALONE };
}

/** `pairing` of the runs `ids` alone: a report tells of all that it has. */
export function pairingOf(pairing: Pairing, ids: readonly string[]): Pairing {
  return {
    ...pairing,
    pairs: pairing.pairs.filter(
      ({ baseline, fused }) => ids.includes(baseline) && ids.includes(fused),
    ),
    alone: Object.fromEntries(Object.entries(pairing.alone).filter(([id]) => ids.includes(id))),
  };
}

/** What can be chosen from: the pairs, then the tables. */
export function originsOf(pairing: Pairing | null): Origin[] {
  return [
    ...(pairing?.pairs ?? []).map((pair) => ({ runs: [pair.baseline, pair.fused], table: null })),
    ...(pairing?.tables ?? []).map((table) => ({ runs: [], table: table.id })),
  ];
}

/** The one of the link, else the first; or none. */
export function chosenOrigin(of: Of, pairing: Pairing | null): Origin | null {
  if (of[FROM] === ALONE) return null;
  const all = originsOf(pairing);
  return all.find((origin) => originKey(origin) === of[FROM]) ?? all[0] ?? null;
}

/** An origin as one word of the link. */
export function originKey({ runs, table }: Origin): string {
  return [...runs, ...(table === null ? [] : ["table", table])].join("\n");
}
