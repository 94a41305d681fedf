// Marks of an axis: where they stand and what they say, exact however far one has zoomed in.

import { type TimeUnit, timeUnit } from "../format";

/** Distance of the marks of an axis over `span` of which about `marks` find room. */
export function markDistance(span: number, marks: number): number {
  const raw = Math.max(Number.MIN_VALUE, span / Math.max(1, marks));
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((each) => each * power >= raw * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Multiples of `distance` from `from` to `to`. */
export function marksBetween(from: number, to: number, distance: number): number[] {
  const first = Math.ceil(from / distance - 1e-9);
  const last = Math.floor(to / distance + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => (first + at) * distance);
}

const written = new Map<number, Intl.NumberFormat>();

/** `value` with just so many decimals that values `distance` apart differ. */
export function apart(value: number, distance: number): string {
  const decimals = Math.min(12, Math.max(0, Math.ceil(-Math.log10(distance) - 1e-9)));
  let format = written.get(decimals);
  if (format === undefined) {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    format = new Intl.NumberFormat("en-US", digits);
    written.set(decimals, format);
  }
  return format.format(value);
}

/** A time of an axis whose marks are `distance_ns` apart, with its unit. */
export function timeApart(ns: number, distance_ns: number, unit: TimeUnit): string {
  return `${apart(ns / unit.ns, distance_ns / unit.ns)} ${unit.name}`;
}

/** Both ends of a stretch of time, with three digits of its length. */
export function stretch(from_ns: number, to_ns: number): string {
  const unit = timeUnit([to_ns]);
  const digit = Math.max(1, 10 ** (Math.floor(Math.log10(Math.max(1, to_ns - from_ns))) - 2));
  return `${timeApart(from_ns, digit, unit)} to ${timeApart(to_ns, digit, unit)}`;
}
