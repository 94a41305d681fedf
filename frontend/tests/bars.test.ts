import { describe, expect, test } from "vitest";
import { barAt, drawnScale, layoutBars, type Part, partAt } from "../src/pages/operators/bars";
import type { Scale } from "../src/state/url";
import { comparison } from "./fixtures";

function layout(scale: Scale) {
  return layoutBars({ comparison: comparison(), scale, mode: "light", width: 1000 });
}

function named(scale: Scale, index: number, category: string): Part {
  const found = layout(scale).parts.find(
    (part) => part.index === index && part.bar.category === category,
  );
  if (!found) throw new Error(`There is no ${category}.`);
  return found;
}

test.each(["relative", "absolute"] as const)("%s bars are as long as the route says", (scale) => {
  const bars = layout(scale);
  const room = bars.right - bars.left;
  const ends = bars.runs.map(({ end }) => (end - bars.left) / room);
  expect(ends).toEqual([1, expect.closeTo(0.6)]);
  const attention = named(scale, 1, "Attention");
  expect(attention.x).toBe(bars.left);
  expect(attention.width / room).toBeCloseTo(0.2, 2);
});

test("parts stand side by side in the order of the legend, without a gap", () => {
  const { parts, runs } = layout("relative");
  const [attention, convolution, ...others] = parts.filter((part) => part.index === 0);
  expect(others).toEqual([]);
  expect(convolution?.x).toBe((attention?.x ?? 0) + (attention?.width ?? 0));
  expect((convolution?.x ?? 0) + (convolution?.width ?? 0)).toBe(runs[0]?.end);
});

test("the part without a launch begins where the time with one ends", () => {
  const convolution = named("relative", 0, "Convolution");
  const linked = (convolution.unlinked_x - convolution.x) / convolution.width;
  expect(linked).toBeCloseTo(0.75, 2);
  const attention = named("relative", 0, "Attention");
  expect(attention.unlinked_x).toBe(attention.x + attention.width);
});

test("the axis has round marks, and says of what", () => {
  expect(layout("relative").marks.map(({ text }) => text)).toContain("1.0");
  expect(layout("relative").axisTitle).toBe("relative to math");
  expect(layout("absolute").marks.at(-1)?.text).toBe("10");
  expect(layout("absolute").axisTitle).toBe("ms");
  expect(layout("absolute").runs.map(({ total }) => total)).toEqual(["10.0 ms", "6.00 ms, 0.600×"]);
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

test("a pixel of a bar leads to its run and category, one beside it to nothing", () => {
  const bars = layout("relative");
  const { y, height } = barAt(1);
  const found = partAt(bars, bars.left + 5, y + 1);
  expect([found?.run.run, found?.bar.category]).toEqual(["fused", "Attention"]);
  expect(partAt(bars, bars.left - 1, y + 1)).toBeNull();
  expect(partAt(bars, bars.left + 5, y + height)).toBeNull();
  expect(partAt(bars, (bars.runs[1]?.end ?? 0) + 1, y + 1)).toBeNull();
});
