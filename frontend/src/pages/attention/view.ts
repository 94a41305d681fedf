// What the page shows, as its link holds it: axes, weight, stretch, and the marked call.

import type { FoundPeriod } from "../../api/attention";
import { fromText, type Stretch, toText } from "../../drawing/stretch";
import type { Of } from "../../state/url";

/** What the x axis counts. */
export type Along = "calls" | "time";

/** What the distribution weighs a call by. */
export type Weight = "time" | "calls";

/** What is zoomed in on: one period of each run, or the same stretch of all; null is everything. */
export type Cut = "period" | Stretch | null;

export interface View {
  along: Along;
  isLog: boolean;
  weight: Weight;
  cut: Cut;
}

/** The names in the link of what this page keeps. */
const [ALONG, LENGTHS, WEIGHT] = ["attention_x", "attention_y", "attention_weight"];
/** By axis, since a stretch of the one is none of the other. */
export const CUT_NAME: Readonly<Record<Along, string>> = {
  calls: "attention_calls",
  time: "attention_time",
};

/** Any page may link to a call by this name. */
export const CALL = "call";

export function viewOf(of: Of): View {
  const along = of[ALONG] === "time" ? "time" : "calls";
  const cut = of[CUT_NAME[along]];
  return {
    along,
    isLog: of[LENGTHS] !== "linear",
    weight: of[WEIGHT] === "calls" ? "calls" : "time",
    cut: along === "calls" && cut === "period" ? "period" : fromText(cut),
  };
}

/** `of` with some of the view changed; what is as by default is left out of a link. */
export function withView(of: Of, along: Along, change: Partial<View>): Of {
  const next: Record<string, string> = { ...of };
  if (change.along !== undefined) next[ALONG] = change.along === "time" ? "time" : "";
  if (change.isLog !== undefined) next[LENGTHS] = change.isLog ? "" : "linear";
  if (change.weight !== undefined) next[WEIGHT] = change.weight === "calls" ? "calls" : "";
  if (change.cut !== undefined) {
    next[CUT_NAME[along]] = change.cut === "period" ? "period" : toText(change.cut);
  }
  return next;
}

/** The index of the marked call; null where none is, or the link means none. */
export function markedOf(of: Of): number | null {
  const text = of[CALL] ?? "";
  return /^\d{1,12}$/.test(text) ? Number(text) : null;
}

/**
 * The places of the first period. The calls of other components between those of the period take
 * part, so it may be longer than the period itself.
 */
export function firstPeriod(period: FoundPeriod | null): Stretch | null {
  if (period === null || period.length < 2) return null;
  const places = Math.round((period.last - period.first + 1) / period.repeats);
  return [period.first, Math.min(period.last, period.first + places - 1)];
}

/** The stretch of the x axis to show of a run; null for all of it. */
export function stretchOf(cut: Cut, period: FoundPeriod | null): Stretch | null {
  return cut === "period" ? firstPeriod(period) : cut;
}
