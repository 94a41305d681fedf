import { describe, expect, test } from "vitest";
import { inView, layoutOf, nearest, type PointsInput } from "../src/drawing/plot";
import { marksOf, placeOf, scaleAround, valueAt } from "../src/drawing/scale";
import { fromText, moved, toText, within, zoomed } from "../src/drawing/stretch";

const INPUT: PointsInput = {
  points: {
    x: [0, 1, 2, 3],
    y: [64, 4096, 64, 4096],
    second: [64, 77, -1, 4096],
    look: [0, 0, 0, 0],
  },
  looks: [{ color: "#000000", shape: "disc", inside: "filled" }],
  x: { from: 0, to: 3, isLog: false, title: "" },
  y: { from: 32, to: 8192, isLog: true, title: "" },
  mode: "light",
  width: 600,
  height: 300,
};

test("a logarithmic scale has powers of two, at equal distances", () => {
  const scale = scaleAround([[64, 4096]], true);
  const marks = marksOf(scale, 20).map((mark) => mark.value);
  expect(marks).toEqual([32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]);
  expect(placeOf(scale, 128) - placeOf(scale, 64)).toBeCloseTo(
    placeOf(scale, 4096) - placeOf(scale, 2048),
  );
});

test("few marks are every second or fourth power, and still powers", () => {
  const marks = marksOf({ from: 1, to: 65536, isLog: true }, 5).map((mark) => mark.text);
  expect(marks).toEqual(["1", "16", "256", "4,096", "65,536"]);
});

test("a single length has marks around it, and lengths begin at 0 on a linear scale", () => {
  expect(marksOf(scaleAround([[559, 559]], true), 8).map((mark) => mark.text)).toEqual([
    "512",
    "1,024",
  ]);
  expect(scaleAround([[559, 559]], false).from).toBe(0);
});

test("scales without anything to show still have two ends", () => {
  for (const isLog of [true, false]) {
    const scale = scaleAround([], isLog);
    expect(scale.from).toBeLessThan(scale.to);
    expect(Number.isFinite(placeOf(scale, 1))).toBe(true);
  }
});

test("what is drawn somewhere is found there, on both scales", () => {
  for (const scale of [
    { from: 2, to: 900, isLog: true },
    { from: -5, to: 5, isLog: false },
  ]) {
    for (const place of [0, 0.3, 1]) {
      expect(placeOf(scale, valueAt(scale, place))).toBeCloseTo(place);
    }
  }
});

describe("the point under the pointer", () => {
  const layout = layoutOf(INPUT);

  test("is the nearest one", () => {
    expect(nearest(INPUT, layout, layout.xOf(1) + 3, layout.yOf(4096) - 3, 14)).toBe(1);
    expect(nearest(INPUT, layout, layout.xOf(2), layout.yOf(64), 14)).toBe(2);
  });

  test("is also found by its second mark", () => {
    expect(nearest(INPUT, layout, layout.xOf(1), layout.yOf(77), 14)).toBe(1);
  });

  test("is none where none is near", () => {
    expect(nearest(INPUT, layout, layout.xOf(1.5), layout.yOf(512), 14)).toBeNull();
  });
});

test("only points of the stretch are in view, both ends included", () => {
  expect(inView({ ...INPUT, x: { ...INPUT.x, from: 1, to: 2 } })).toEqual([1, 3]);
});

describe("a stretch", () => {
  test("stays inside of the whole, and the whole is none", () => {
    expect(within(-5, 20, [0, 100], 8)).toEqual([0, 25]);
    expect(within(90, 130, [0, 100], 8)).toEqual([60, 100]);
    expect(within(-1, 200, [0, 100], 8)).toBeNull();
  });

  test("is never shorter than can be looked at", () => {
    expect(within(50, 51, [0, 100], 8)).toEqual([50, 58]);
    const [from, to] = zoomed([40, 50], 0.01, 45, [0, 100], 8) ?? [0, 0];
    expect(to - from).toBe(8);
  });

  test("keeps what is pointed at in its place while zooming", () => {
    const [from, to] = zoomed([0, 80], 0.5, 20, [0, 100], 8) ?? [0, 0];
    expect((20 - from) / (to - from)).toBeCloseTo(20 / 80);
  });

  test("keeps its length while it is moved against an end", () => {
    expect(moved([10, 30], 200, [0, 100])).toEqual([80, 100]);
    expect(moved([10, 30], -200, [0, 100])).toEqual([0, 20]);
  });

  test("survives a link, and a link made by hand means nothing", () => {
    expect(fromText(toText([12, 40]))).toEqual([12, 40]);
    for (const text of [undefined, "", "9-2", "5-5", "-1-4", "1e3-2e3", "period"]) {
      expect(fromText(text)).toBeNull();
    }
  });
});
