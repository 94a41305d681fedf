// One fixed colour a category, safe for colour-blind readers, the same in both themes.

/** How a category is drawn. */
export interface Paint {
  fill: string;
  /** Of what is written on the fill. */
  text: string;
  /** A line around fills that are too light to end visibly. */
  outline: string | null;
}

const DARK_TEXT = "#0d0d0d";
const LIGHT_TEXT = "#ffffff";

/** In the order of a stacked bar, from its beginning. */
const PAINTS: Readonly<Record<string, Paint>> = {
  Attention: { fill: "#D55E00", text: DARK_TEXT, outline: null },
  Convolution: { fill: "#0072B2", text: LIGHT_TEXT, outline: null },
  Linear: { fill: "#009E73", text: DARK_TEXT, outline: null },
  Normalization: { fill: "#CC79A7", text: DARK_TEXT, outline: null },
  Elementwise: { fill: "#F0E442", text: DARK_TEXT, outline: "#9A9020" },
  Embedding: { fill: "#56B4E9", text: DARK_TEXT, outline: null },
  Softmax: { fill: "#E69F00", text: DARK_TEXT, outline: null },
  Memory: { fill: "#999999", text: DARK_TEXT, outline: null },
  Communication: { fill: "#7F3C8D", text: LIGHT_TEXT, outline: null },
  Optimizer: { fill: "#8C564B", text: LIGHT_TEXT, outline: null },
  Other: { fill: "#BBBBBB", text: DARK_TEXT, outline: null },
  Unlinked: { fill: "#DDDDDD", text: DARK_TEXT, outline: "#888888" },
};

/** Sub-categories that have a shade of their own. */
const CHILD_PAINTS: Readonly<Record<string, Paint>> = {
  GroupNorm: { fill: "#A3527E", text: LIGHT_TEXT, outline: null },
};

/** The categories in their order. */
export const CATEGORIES: readonly string[] = Object.keys(PAINTS);

/** The paint of a category or sub-category; unknown ones are painted as Other. */
export function paintOf(category: string): Paint {
  return PAINTS[category] ?? CHILD_PAINTS[category] ?? (PAINTS.Other as Paint);
}

/** Whether a row of this name has a colour of its own. */
export function hasPaint(name: string): boolean {
  return name in PAINTS || name in CHILD_PAINTS;
}

/** Sorts names of categories as bars stack them, unknown ones last. */
export function inOrder(names: Iterable<string>): string[] {
  const rank = (name: string) => {
    const index = CATEGORIES.indexOf(name);
    return index < 0 ? CATEGORIES.length : index;
  };
  return [...new Set(names)].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** What a legend calls the dots, and the grey that it shows them on. */
export const UNLINKED_NAME = "no launch in the trace";
export const UNLINKED_FILL = "#cccccc";

/** A CSS background with the dots that stand for events without a launch. */
export function hatch(fill: string): string {
  return `radial-gradient(circle at 2px 2px, rgba(0, 0, 0, 0.6) 1px, transparent 1.3px) 0 0 / 4px 4px, ${fill}`;
}
