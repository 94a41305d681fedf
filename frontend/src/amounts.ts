// FLOPs and memory as text: three significant digits, with a unit of their own.

import { count, metric, threeDigits } from "./format";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** An amount of memory with a binary unit, as sentences of the API say it: 69.8 MiB. */
export function size(bytes: number): string {
  let [rest, step] = [bytes, 0];
  while (Math.abs(rest) >= 1024 && step < UNITS.length - 1) {
    rest /= 1024;
    step += 1;
  }
  return `${step === 0 ? count(Math.round(rest)) : threeDigits(rest)} ${UNITS[step]}`;
}

/** The same of a mark of an axis, which is a whole number of its unit: 64 MiB. */
export function sizeMark(bytes: number): string {
  return size(bytes).replace(/\.0+(?= )/, "");
}

export function exactSize(bytes: number): string {
  return `${count(bytes)} B`;
}

/** FLOPs with a unit of their own: 2.9 TFLOP. */
export function flops(value: number): string {
  const text = metric(value);
  return /[a-z]$/i.test(text) ? `${text}FLOP` : `${text} FLOP`;
}
