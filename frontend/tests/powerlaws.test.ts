import { expect, test } from "vitest";
import { exactSize, flops, size, sizeMark } from "../src/amounts";
import { hiddenOf, toggled } from "../src/components/LawLegend";
import {
  binaryMarks,
  decadeMarks,
  type LawSeries,
  type LawsInput,
  lawAt,
  layoutOf,
  nearest,
  pieces,
  placed,
  sizeMarks,
} from "../src/drawing/powerlaws";

/** 2 · x² at these sizes. */
function squares(sizes: readonly number[], change: Partial<LawSeries> = {}): LawSeries {
  return {
    name: "squares",
    color: "#000",
    shape: "disc",
    inside: "filled",
    isDashed: false,
    points: sizes.map((x) => ({ x, y: 2 * x ** 2 })),
    laws: [{ exponent: 2, factor: 2 }],
    ...change,
  };
}

function input(change: Partial<LawsInput> = {}): LawsInput {
  const axis = { title: "", say: String };
  const shown = { series: [squares([64, 128, 256])], meetings: [], x: axis, y: axis };
  return { ...shown, mode: "light", width: 800, height: 400, ...change };
}

test("a law is a straight line, and doubling is as far everywhere", () => {
  const layout = layoutOf(input());
  expect(layout.xOf(256) - layout.xOf(128)).toBeCloseTo(layout.xOf(128) - layout.xOf(64));
  const rise = (x: number) => layout.yOf(lawAt({ exponent: 2, factor: 2 }, x));
  expect(rise(64) - rise(128)).toBeCloseTo(rise(128) - rise(256));
  expect(layout.seen).toEqual([64, 256]);
});

test("points are found by their pixel, the highest of a size first, and 0 has no place", () => {
  const low = squares([64, 128], {
    points: [
      { x: 64, y: 1 },
      { x: 128, y: 0 },
    ],
    laws: [],
  });
  const shown = input({ series: [low, squares([64, 128])] });
  const all = placed(shown.series);
  expect(all.map(({ of, point }) => [of, point.x])).toEqual([
    [1, 64],
    [0, 64],
    [1, 128],
  ]);
  const layout = layoutOf(shown);
  expect(nearest(all, layout, layout.xOf(128) + 3, layout.yOf(2 * 128 ** 2))).toBe(2);
  expect(nearest(all, layout, 0, 0)).toBeNull();
});

test("a meeting is in view if it is near the data", () => {
  const meeting = { y: 100, text: "", color: "#000", isPredicted: true };
  const meetings = [20, 500, 100_000].map((x) => ({ ...meeting, x }));
  const layout = layoutOf(input({ meetings }));
  expect(layout.meetings.map(({ x }) => x)).toEqual([500]);
  expect(layout.x[1]).toBeGreaterThan(500);
});

test("laws go on beyond what they were fitted to, as predictions, and not between", () => {
  const laws = [
    { exponent: 2, factor: 2, fitted: [64, 128] as const },
    { exponent: 2, factor: 2, fitted: [128, 256] as const },
  ];
  const found = pieces(squares([64, 128, 256], { laws }), [50, 300]);
  expect(found.map(({ from, to, isPredicted }) => [from, to, isPredicted])).toEqual([
    [50, 64, true],
    [64, 128, false],
    [128, 256, false],
    [256, 300, true],
  ]);
});

test("marks are round in the base of their unit, as many as find room", () => {
  expect(decadeMarks([3, 300], 20)).toEqual([5, 10, 20, 50, 100, 200]);
  expect(decadeMarks([3, 300], 5)).toEqual([3, 10, 30, 100, 300]);
  expect(decadeMarks([21, 49], 12)).toEqual([25, 30, 35, 40, 45]);
  expect(decadeMarks([1, 1e9], 4).length).toBeLessThanOrEqual(4);
  expect(binaryMarks([700, 5000], 10)).toEqual([1024, 2048, 4096]);
  expect(binaryMarks([1, 2 ** 30], 8)).toEqual([0, 5, 10, 15, 20, 25, 30].map((at) => 2 ** at));
  const sizes = squares([64, 128, 256, 257]);
  const crowded = input({ series: [sizes] });
  expect(sizeMarks(crowded, layoutOf(crowded))).toEqual([64, 128, 257]);
});

test("memory is written as sentences of the server say it", () => {
  expect([size(0), size(1023), size(73_239_168), size(4 * 2 ** 30)]).toEqual([
    ...["0 B", "1,023 B", "69.8 MiB", "4.00 GiB"],
  ]);
  expect(sizeMark(4 * 2 ** 30)).toBe("4 GiB");
  expect(exactSize(73_239_168)).toBe("73,239,168 B");
  expect([flops(12), flops(617_000_000)]).toEqual(["12 FLOP", "617 MFLOP"]);
});

test("what is left out of a chart is in the link, also when it is nothing", () => {
  expect([...hiddenOf(undefined)]).toEqual([]);
  const one = toggled(new Set(["Memory"]), "Other");
  expect([...hiddenOf(one)]).toEqual(["Memory", "Other"]);
  expect(toggled(hiddenOf(one), "Memory")).toBe("Other");
  expect([...hiddenOf("\n")]).toEqual([]);
});
