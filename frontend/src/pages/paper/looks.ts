// Looks and scales that the figures share.

import type { Look } from "../../drawing/plot";
import { type Scale, scaleAround } from "../../drawing/scale";
import type { Mode } from "../../theme/mode";

/** Architectures, told apart by shape as well. */
export const ARCHITECTURES: Readonly<Record<string, Omit<Look, "inside"> & { dark: string }>> = {
  language: { color: "#5f6368", dark: "#b0b4ba", shape: "triangle" },
  diffusion: { color: "#0072B2", dark: "#56B4E9", shape: "disc" },
  transformer: { color: "#D55E00", dark: "#F0803C", shape: "square" },
};

/** What is cited, hollow or hatched. */
export const CITED: Readonly<Record<Mode, string>> = { light: "#5f6368", dark: "#b0b4ba" };

/** What was measured, where there is nothing to tell apart. */
export const MEASURED = "#0072B2";

export function lookOf(kind: string, inside: Look["inside"], mode: Mode): Look {
  const found = ARCHITECTURES[kind] ?? (ARCHITECTURES.language as { color: string; dark: string });
  const { shape } = ARCHITECTURES[kind] ?? { shape: "triangle" as const };
  return { color: mode === "dark" ? found.dark : found.color, shape, inside };
}

/** A logarithmic scale around values, marked at powers of `base`. */
export function powersOf(base: number, values: readonly number[]): Scale {
  return { ...scaleAround([[Math.min(...values), Math.max(...values)]], true), base };
}
