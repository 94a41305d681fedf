// A linear or logarithmic scale of numbers, and where its marks stand.

import { apart, markDistance, marksBetween } from "./axis";

export interface Scale {
  from: number;
  to: number;
  /** Both ends are above 0. */
  isLog: boolean;
  /** What the marks of a logarithmic scale are powers of; 2 unless given. */
  base?: number;
}

/** Where `value` lies: 0 at the beginning of the scale, 1 at its end. */
export function placeOf(scale: Scale, value: number): number {
  if (!scale.isLog) return (value - scale.from) / (scale.to - scale.from || 1);
  const low = Math.log(scale.from);
  return (Math.log(Math.max(value, Number.MIN_VALUE)) - low) / (Math.log(scale.to) - low || 1);
}

export function valueAt(scale: Scale, place: number): number {
  if (!scale.isLog) return scale.from + place * (scale.to - scale.from);
  return scale.from * (scale.to / scale.from) ** place;
}

/** A scale around `values` with some air, of one unit at least; lengths begin at 0 if linear. */
export function scaleAround(values: readonly (readonly [number, number])[], isLog: boolean): Scale {
  const low = Math.min(...values.map(([from]) => from));
  const high = Math.max(...values.map(([, to]) => to));
  if (!Number.isFinite(low) || !Number.isFinite(high)) return { from: isLog ? 1 : 0, to: 2, isLog };
  if (!isLog) return { from: Math.min(0, low), to: high > 0 ? high * 1.06 : 1, isLog };
  const least = Math.max(low, Number.MIN_VALUE);
  // At least two powers of two are in sight.
  return { from: least / 2, to: Math.max(high, least) * 2, isLog };
}

/** Marks of a scale with room for about `marks`: powers of its base (or of one of them) if log. */
export function marksOf(scale: Scale, marks: number): { value: number; text: string }[] {
  if (!scale.isLog) {
    const distance = markDistance(scale.to - scale.from, marks);
    return marksBetween(scale.from, scale.to, distance).map((value) => ({
      value,
      text: apart(value, distance),
    }));
  }
  const { base = 2 } = scale;
  const step = Math.log2(base);
  const low = Math.ceil(Math.log2(scale.from) / step - 1e-9);
  const high = Math.floor(Math.log2(scale.to) / step + 1e-9);
  const every = Math.max(1, Math.ceil((high - low + 1) / Math.max(1, marks)));
  const first = Math.ceil(low / every) * every;
  return Array.from({ length: Math.max(0, Math.floor((high - first) / every) + 1) }, (_, at) => {
    const value = base ** (first + at * every);
    return { value, text: value >= 1 ? apart(value, 1) : String(value) };
  });
}
