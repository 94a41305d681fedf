import { expect, test } from "vitest";
import { moved, type Stretch, within, zoomed } from "../src/drawing/stretch";
import { stripsCsv } from "../src/pages/overview/export";
import { askedFor } from "../src/pages/overview/finer";
import { layoutOf, markedGaps, type StripInput, stacksOf } from "../src/pages/overview/strip";
import { gap, overview, step, timeline } from "./fixtures";

const NONE = new Map();

test("a stack is as high as the device was busy, categories that overlap sharing the height", () => {
  const stackOf = stacksOf(overview(), overview().strip);
  expect(stackOf(0)).toEqual([{ category: "Attention", from: 0, to: 0.2 }]);
  const both = stackOf(1);
  expect(both.map((slice) => slice.category)).toEqual(["Attention", "Linear"]);
  expect(both.at(-1)?.to).toBeCloseTo(1);
  expect(both[0]?.to).toBeCloseTo(2 / 3);
});

test("two devices that are both busy fill the height together", () => {
  const one = overview().devices[0];
  const two = overview({ devices: one ? [one, { ...one, index: 1 }] : [] });
  expect(stacksOf(two, two.strip)(1).at(-1)?.to).toBeCloseTo(0.5);
});

function input(change: Partial<StripInput> = {}): StripInput {
  return {
    overview: overview({ steps: [step(0)], gaps: [gap()] }),
    finer: null,
    mode: "light",
    width: 200,
    plot: 60,
    from_ns: 0,
    span_ns: 2_000_000,
    ...change,
  };
}

test("pixels tell bins, and none beyond the end", () => {
  const layout = layoutOf(input());
  const bins = (pixels: number[]) => pixels.map((x) => layout.binAt(layout.nsAt(x))?.index ?? null);
  expect(bins([0, 49, 50, 99])).toEqual([0, 0, 1, 1]);
  expect(bins([-1, 100, 199])).toEqual([null, null, null]);
  expect(layout.xOf(1_000_000)).toBe(100);
  expect(layout.height).toBeGreaterThan(layout.bottom);
});

test("zoomed in, a finer bin is shown where there is one", () => {
  const { strip } = timeline();
  const layout = layoutOf(input({ finer: strip, from_ns: 400_000, span_ns: 200_000 }));
  expect([layout.xOf(400_000), layout.xOf(600_000)]).toEqual([0, 200]);
  expect(layout.binAt(layout.nsAt(0))).toMatchObject({ index: 0, from_ns: 0, to_ns: 500_000 });
  expect(layout.binAt(layout.nsAt(100))).toMatchObject({ from_ns: 500_000, to_ns: 525_000 });
});

test("gaps that are marked are the largest of what is shown", () => {
  const gaps = [0, 1, 2, 3, 4, 5, 6].map((at) => gap({ start_ns: at * 100, dur_ns: 10 }));
  const marked = markedGaps(overview({ gaps }), 350, 605);
  expect(marked.map(({ number }) => number)).toEqual([5, 6, 7]);
  expect(markedGaps(overview({ gaps }), 0, 1000)).toHaveLength(5);
});

const WHOLE: Stretch = [0, 1_000_000];
const LEAST = 1000;

test("zooming keeps the time under the pointer in its place, and ends at the whole", () => {
  expect(zoomed([0, 1_000_000], 0.5, 250_000, WHOLE, LEAST)).toEqual([125_000, 625_000]);
  expect(zoomed([125_000, 625_000], 2, 250_000, WHOLE, LEAST)).toBeNull();
  expect(zoomed([0, 1200], 0.5, 0, WHOLE, LEAST), "never less than a microsecond").toEqual([
    0, 1000,
  ]);
});

test("moving stays inside of the whole", () => {
  expect(moved([100_000, 300_000], 50_000, WHOLE)).toEqual([150_000, 350_000]);
  expect(moved([100_000, 300_000], -500_000, WHOLE)).toEqual([0, 200_000]);
  expect(moved([100_000, 300_000], 5_000_000, WHOLE)).toEqual([800_000, 1_000_000]);
  expect(within(10.4, 99_999.6, WHOLE, LEAST)).toEqual([10, 99_999]);
});

test("a move within what the server gave asks for nothing, a closer look does", () => {
  const asked = askedFor([400, 600], null);
  expect(asked).toEqual([300, 700]);
  expect(askedFor([450, 650], asked)).toBe(asked);
  expect(askedFor([650, 850], asked)).toEqual([550, 950]);
  expect(askedFor([480, 520], asked)).toEqual([460, 540]);
});

const HEADER = "run,basis,start_ns,bin_ns,device_busy_ns,Attention_ns,Linear_ns";
const RUN = [{ id: "a", label: "a", overview: overview() }];

test("the strip's CSV holds the API's figures, a line a bin", () => {
  expect(stripsCsv(RUN, null, NONE).trim().split("\r\n")).toEqual([
    HEADER,
    "a,device,0,500000,100000,100000,0",
    "a,device,500000,500000,500000,400000,200000",
  ]);
});

test("zoomed in, it holds the finer bins of what is shown", () => {
  const finer = new Map([["a", timeline().strip]]);
  expect(stripsCsv(RUN, [510_000, 540_000], finer).trim().split("\r\n")).toEqual([
    HEADER,
    "a,device,500000,25000,25000,25000,5000",
    "a,device,525000,25000,20000,20000,0",
  ]);
});
