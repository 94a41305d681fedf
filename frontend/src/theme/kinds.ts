// Colours and shapes of kinds, axes, and phases: safe for colour-blind readers, legible in both
// themes. Nothing is told by colour alone: kinds differ in shape, axes in what is inside of it.

import type { Mode } from "./mode";

/** How a mark is drawn; a square, a disc and a diamond have the same area. */
export type Shape = "disc" | "square" | "diamond" | "triangle";

/** What tells marks of one shape apart: filled, with a bar across, a ring, a ring with a dot. */
export type Inside = "filled" | "barred" | "ring" | "dotted";

/** A colour in each theme. */
interface Tone {
  light: string;
  dark: string;
}

const GREY: Tone = { light: "#757575", dark: "#a6a6a6" };

const KINDS: Readonly<Record<string, Tone & { shape: Shape }>> = {
  self: { light: "#0072B2", dark: "#56B4E9", shape: "disc" },
  cross: { light: "#D55E00", dark: "#F0803C", shape: "square" },
  joint: { light: "#009E73", dark: "#2CC79B", shape: "diamond" },
};

const AXES: Readonly<Record<string, Inside>> = {
  sequence: "filled",
  spatial: "barred",
  temporal: "ring",
  spatiotemporal: "dotted",
};

const AXIS_TONES: Readonly<Record<string, Tone>> = {
  spatial: { light: "#0072B2", dark: "#56B4E9" },
  temporal: { light: "#C77E00", dark: "#E69F00" },
  spatiotemporal: { light: "#A3527E", dark: "#CC79A7" },
  sequence: { light: "#5f6368", dark: "#b0b4ba" },
};

const PHASES: Readonly<Record<string, Tone>> = {
  prefill: { light: "#0072B2", dark: "#3D9BD6" },
  decode: { light: "#E69F00", dark: "#E69F00" },
  parallel_decode: { light: "#B3441A", dark: "#E0703A" },
  denoise: { light: "#009E73", dark: "#2BB893" },
  encode: { light: "#CC79A7", dark: "#CC79A7" },
  mixed: { light: "#7F3C8D", dark: "#B57BC2" },
};

/** The words in their order; what a trace has beyond them comes last. */
export const KIND_ORDER: readonly string[] = Object.keys(KINDS);
export const AXIS_ORDER: readonly string[] = Object.keys(AXES);
export const PHASE_ORDER: readonly string[] = [
  ...["encode", "prefill", "decode", "parallel_decode", "denoise", "mixed"],
];

/** What a filter and a link call that which nothing tells. */
export const NONE = "none";

const TITLES: Readonly<Record<string, string>> = {
  parallel_decode: "parallel decode",
  spatiotemporal: "spatio-temporal",
};

/** A word of the vocabulary as it is shown; null is what nothing tells. */
export function titleOf(word: string | null, unknown = "unknown"): string {
  if (word === null || word === NONE) return unknown;
  return TITLES[word] ?? word;
}

export function kindColor(kind: string | null, mode: Mode): string {
  return (KINDS[kind ?? ""] ?? GREY)[mode];
}

export function kindShape(kind: string | null): Shape {
  return KINDS[kind ?? ""]?.shape ?? "triangle";
}

export function axisInside(axis: string | null): Inside {
  return AXES[axis ?? ""] ?? "filled";
}

/** The colour of an axis where kinds are not told apart. */
export function axisColor(axis: string | null, mode: Mode): string {
  return (AXIS_TONES[axis ?? ""] ?? GREY)[mode];
}

/** The colour of a phase; of none, of training and of idle it is grey. */
export function phaseColor(phase: string | null, mode: Mode): string {
  return (PHASES[phase ?? ""] ?? GREY)[mode];
}

/** `words` without repetition, in the order that `known` gives them, unknown ones last. */
export function inOrderOf(known: readonly string[], words: Iterable<string>): string[] {
  const rank = (word: string) => (known.includes(word) ? known.indexOf(word) : known.length);
  return [...new Set(words)].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}
