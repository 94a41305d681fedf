import { expect, test } from "vitest";
import { stripsCsv } from "../src/pages/overview/export";
import { layoutOf, markDistance, stackOf } from "../src/pages/overview/strip";
import { gap, overview, step } from "./fixtures";

test("a stack is as high as the device was busy, categories that overlap sharing the height", () => {
  const [first, ...others] = stackOf(overview(), 0);
  expect(others).toEqual([]);
  expect(first).toEqual({ category: "Attention", from: 0, to: 0.2 });
  const both = stackOf(overview(), 1);
  expect(both.map((slice) => slice.category)).toEqual(["Attention", "Linear"]);
  expect(both.at(-1)?.to).toBeCloseTo(1);
  expect(both[0]?.to).toBeCloseTo(2 / 3);
});

test("two devices that are both busy fill the height together", () => {
  const one = overview().devices[0];
  const two = overview({ devices: one ? [one, { ...one, index: 1 }] : [] });
  expect(stackOf(two, 1).at(-1)?.to).toBeCloseTo(0.5);
});

test("pixels tell bins, and none beyond the end", () => {
  const layout = layoutOf({
    overview: overview({ steps: [step(0)], gaps: [gap()] }),
    mode: "light",
    width: 200,
    plot: 60,
    span_ns: 2_000_000,
  });
  expect([0, 49, 50, 99].map(layout.binAt)).toEqual([0, 0, 1, 1]);
  expect([-1, 100, 199].map(layout.binAt)).toEqual([null, null, null]);
  expect(layout.xOf(1_000_000)).toBe(100);
  expect(layout.height).toBeGreaterThan(layout.bottom);
});

test("marks of the axis are at round times, and no more than find room", () => {
  expect(markDistance(1_000_000, 10)).toBe(100_000);
  expect(markDistance(1_100_000, 10)).toBe(200_000);
  expect(markDistance(3_500_000, 8)).toBe(500_000);
});

test("the strip's CSV holds the API's figures, a line a bin", () => {
  const csv = stripsCsv([{ id: "a", label: "a", overview: overview() }]);
  expect(csv.trim().split("\r\n")).toEqual([
    "run,basis,start_ns,bin_ns,device_busy_ns,Attention_ns,Linear_ns",
    "a,device,0,500000,100000,100000,0",
    "a,device,500000,500000,500000,400000,200000",
  ]);
});
