import { expect, test } from "vitest";
import { apart, markDistance, marksBetween, stretch } from "../src/drawing/axis";
import { timeMarks } from "../src/pages/overview/strip";

test("marks of an axis are at round values, and no more than find room", () => {
  expect(markDistance(1_000_000, 10)).toBe(100_000);
  expect(markDistance(1_100_000, 10)).toBe(200_000);
  expect(markDistance(3_500_000, 8)).toBe(500_000);
  expect(markDistance(1, 5)).toBeCloseTo(0.2);
});

test("marks are the multiples within both ends", () => {
  expect(marksBetween(95, 310, 100)).toEqual([100, 200, 300]);
  expect(marksBetween(0, 1, 0.2)).toHaveLength(6);
  expect(marksBetween(1, 9, 10)).toEqual([]);
});

test("values have the digits that tell them apart", () => {
  expect(apart(0.6000000000000001, 0.2)).toBe("0.6");
  expect(apart(1234.5, 100)).toBe("1,235");
  expect(apart(1.2345, 0.0005)).toBe("1.2345");
});

test("a stretch of time is exact however short it is", () => {
  expect(stretch(1_250_000, 2_450_000)).toBe("1.25 ms to 2.45 ms");
  expect(stretch(1_234_567_890, 1_234_567_990)).toBe("1.234567890 s to 1.234567990 s");
  expect(stretch(0, 900)).toBe("0 ns to 900 ns");
});

test.each([
  [0, 2_000_000_000],
  [1_234_000_000, 40_000],
  [61_000_000_000, 1_000],
])("marks from %d over %d ns differ from each other and are where they say", (from, span) => {
  const marks = timeMarks(from, span, 1100);
  expect(marks.length).toBeGreaterThan(3);
  expect(new Set(marks.map(({ text }) => text)).size).toBe(marks.length);
  const units: Record<string, number> = { s: 1e9, ms: 1e6, µs: 1e3, ns: 1 };
  for (const { ns, text } of marks) {
    const [value, unit] = text.split(" ") as [string, string];
    expect(Number(value.replaceAll(",", "")) * (units[unit] ?? 0)).toBeCloseTo(ns, 0);
  }
});
