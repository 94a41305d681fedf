// A stretch of an axis that is zoomed in on: whole numbers from and to, both shown.

export type Stretch = readonly [number, number];

/** A stretch of whole numbers inside of `whole`, `least` long or longer; null where it is all. */
export function within(from: number, to: number, whole: Stretch, least: number): Stretch | null {
  const room = whole[1] - whole[0];
  const span = Math.round(Math.min(room, Math.max(least, to - from)));
  const first = Math.round(Math.min(whole[1] - span, Math.max(whole[0], from)));
  return span >= room ? null : [first, first + span];
}

/** `shown` made longer by `factor`, with `at` staying in its place. */
export function zoomed(
  [from, to]: Stretch,
  factor: number,
  at: number,
  whole: Stretch,
  least: number,
): Stretch | null {
  const longer = Math.max(factor, least / Math.max(1, to - from));
  return within(at - (at - from) * longer, at + (to - at) * longer, whole, least);
}

export function moved([from, to]: Stretch, by: number, whole: Stretch): Stretch | null {
  return within(from + by, to + by, whole, to - from);
}

/** As a link holds it: `from-to`. */
export function toText(stretch: Stretch | null): string {
  return stretch === null ? "" : stretch.join("-");
}

/** What a link holds; null where it means nothing. */
export function fromText(text: string | undefined): Stretch | null {
  const [, from, to] = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? "") ?? [];
  return Number(from) < Number(to) ? [Number(from), Number(to)] : null;
}
