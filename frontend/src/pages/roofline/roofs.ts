// The roofs of a device: its bandwidth, and its rates for the dtypes that a run uses.

import type { DeviceRates, Roofline } from "../../api/roofline";

export interface Roof {
  /** Dtypes that share the rate. */
  dtypes: string[];
  /** FLOP/s. */
  rate: number;
  /** Of the units for matrices; the others' is drawn dashed. */
  isMatrix: boolean;
}

/** A dtype as the rates have it: all formats of eight bits are one there. */
function familyOf(dtype: string): string {
  return /^float8/.exec(dtype)?.[0] ?? dtype;
}

/** The highest roof, and those for what the ops of `data` compute in; highest first. */
export function roofsOf(device: DeviceRates, data: Roofline): Roof[] {
  const used = new Set(data.ops.flatMap((op) => (op.dtype === null ? [] : familyOf(op.dtype))));
  if (used.has("float32")) used.add("tf32");
  for (const dtype of ["bfloat16", "float16"]) if (dtype in device.matrix) used.add(dtype);
  const byRate = new Map<number, string[]>();
  for (const [dtype, rate] of Object.entries(device.matrix)) {
    if (used.has(dtype)) byRate.set(rate, [...(byRate.get(rate) ?? []), dtype]);
  }
  const roofs: Roof[] = [...byRate].map(([rate, dtypes]) => ({ rate, dtypes, isMatrix: true }));
  const vector = device.vector.float32;
  // Without matrix units for float32 both rates are one line.
  if (vector !== undefined && !byRate.has(vector)) {
    roofs.push({ rate: vector, dtypes: ["float32"], isMatrix: false });
  }
  return roofs.toSorted((a, b) => b.rate - a.rate);
}
