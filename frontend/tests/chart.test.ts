import { describe, expect, test } from "vitest";
import { barsOption, drawnScale, segmentAt } from "../src/pages/operators/chart";
import type { Scale } from "../src/state/url";
import { comparison } from "./fixtures";

interface Series {
  name: string;
  data: number[];
  itemStyle?: { color: string; decal?: object };
}

function series(scale: Scale): Series[] {
  const option = barsOption({ comparison: comparison(), scale, mode: "light", width: 1000 });
  return (option.series as Series[]).filter(({ name }) => name !== "total");
}

function lengths(scale: Scale, at: number): number {
  return series(scale).reduce((sum, { data }) => sum + (data[at] ?? 0), 0);
}

test("relative bars are as long as the route says, the base's 1", () => {
  expect(lengths("relative", 0)).toBeCloseTo(1);
  expect(lengths("relative", 1)).toBeCloseTo(0.6);
});

test("absolute bars are times in one unit", () => {
  expect(lengths("absolute", 0)).toBeCloseTo(10);
  expect(lengths("absolute", 1)).toBeCloseTo(6);
});

test("the part without a launch is dotted, in the colour of its category", () => {
  const [linked, unlinked] = series("relative").filter(({ name }) => name === "Convolution");
  expect(linked?.data).toEqual([expect.closeTo(0.3), 0.4]);
  expect(unlinked?.data).toEqual([expect.closeTo(0.1), 0]);
  expect(unlinked?.itemStyle?.decal).toBeDefined();
  expect(unlinked?.itemStyle?.color).toBe("#0072B2");
});

test("a category without unlinked time has no dotted part", () => {
  expect(series("relative").filter(({ name }) => name === "Attention")).toHaveLength(1);
});

describe("runs that are not relative to the base", () => {
  test("are drawn in time", () => {
    const mixed = comparison();
    const fused = mixed.runs[1];
    if (fused) fused.relative = null;
    expect(drawnScale(mixed, "relative")).toBe("absolute");
    expect(drawnScale(comparison(), "relative")).toBe("relative");
  });
});

test("a pointed part of a bar leads to its run and category", () => {
  const segment = segmentAt(comparison(), "Attention", 1);
  expect(segment?.run.run).toBe("fused");
  expect(segment?.bar.sum_ns).toBe(2_000_000);
  expect(segmentAt(comparison(), "total", 0)).toBeNull();
});
