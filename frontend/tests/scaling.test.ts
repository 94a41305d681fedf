import { expect, test } from "vitest";
import type { Amount, ScalingFit, ScalingLine, ScalingSweep } from "../src/api/scaling";
import { crossoversCsv, fitsCsv, pointsCsv } from "../src/pages/scaling/export";
import {
  figureOf,
  fitsOf,
  lawsOf,
  littleOf,
  meetingsOf,
  namesOf,
  seriesOf,
} from "../src/pages/scaling/lines";
import { howKnown } from "../src/pages/scaling/Tables";
import { parameterTitle, powerText } from "../src/pages/scaling/words";

function amount(name: string, time_ns: number): Amount {
  return {
    group: "category",
    name,
    component: null,
    time_ns,
    flops: 0,
    unknown_ns: 0,
    moved_bytes: null,
    score_bytes: 0,
    written_score_bytes: 0,
    calls: 1,
  };
}

function fitted(
  name: string,
  exponent: number | null,
  change: Partial<ScalingFit> = {},
): ScalingFit {
  return {
    group: "category",
    name,
    component: null,
    metric: "time_ns",
    points: 3,
    runs: 3,
    exponent,
    error: 0.1,
    slope: exponent,
    factor: 1,
    r2: 1,
    deviation: 0,
    share: 0.5,
    reason: null,
    ...change,
  };
}

/** Attention grows with x³ and Convolution is 200 · x; they meet where x² is 200. */
function line(role: "baseline" | "fused", attention: string): ScalingLine {
  return {
    role,
    attention,
    reason: `it computes ${attention}`,
    points: [8, 16, 32].map((value) => ({
      run: `${attention}${value}`,
      value,
      label: `${value} x ${value}`,
      implementation: attention,
      steps: null,
      unknown_share: 0,
      amounts: [
        amount("Convolution", 200 * value),
        amount("Attention", value ** 3),
        amount("Other", 1),
      ],
      largest_score_bytes: value,
      peak_memory_bytes: null,
    })),
    fits: [
      fitted("Convolution", 1, { factor: 200 }),
      fitted("Attention", 3),
      fitted("Other", null, { slope: null, factor: null, share: 0.001, reason: "flat" }),
    ],
    growth: [],
    crossovers: [
      {
        group: "category",
        component: null,
        metric: "time_ns",
        upper: "Attention",
        lower: "Convolution",
        value: Math.sqrt(200),
        label: "14.1 px",
        measured: true,
        between: [8, 16],
        low: null,
        high: null,
        upper_exponent: null,
        lower_exponent: null,
        points: 2,
      },
    ],
  };
}

function sweep(): ScalingSweep {
  return {
    name: "sd: image size",
    model: "sd",
    parameter: "image_size",
    unit: "px",
    found_by: "the annotations",
    fixed: {},
    basis: "device",
    devices: [],
    values: [8, 16, 32],
    per_step: false,
    lines: [line("baseline", "math"), line("fused", "flash")],
    changes: [],
    sentence: "",
    warnings: [],
  };
}

test("each part has a solid line with filled marks of the baseline, a dashed one of the fused", () => {
  const series = seriesOf(sweep(), "time_ns", "category", "light");
  expect(series.map(({ name, isDashed, inside }) => [name, isDashed, inside])).toEqual([
    ["Attention, math", false, "filled"],
    ["Attention, flash", true, "ring"],
    ["Convolution, math", false, "filled"],
    ["Convolution, flash", true, "ring"],
    ["Other, math", false, "filled"],
    ["Other, flash", true, "ring"],
  ]);
  expect(series[0]?.color).toBe(series[1]?.color);
  expect(series[0]?.points).toEqual([8, 16, 32].map((x) => ({ x, y: x ** 3 })));
  expect(series[4]?.laws, "no law where the points have none").toEqual([]);
});

test("what no run has is no line, and figures of a run are of the whole alone", () => {
  expect(seriesOf(sweep(), "flops", "category", "light")).toEqual([]);
  const [point] = sweep().lines[0]?.points ?? [];
  const of = (group: "total" | "category") =>
    point && figureOf(point, "largest_score_bytes", { group, name: "all", component: null });
  expect([of("total"), of("category")]).toEqual([8, null]);
});

test("parts that are little everywhere wait until they are asked for", () => {
  expect(littleOf(sweep(), "time_ns", "category")).toEqual(["Other"]);
  expect(namesOf(sweep(), "category")).toEqual(["Attention", "Convolution", "Other"]);
});

test("a measured crossover lies on the line between two points, if both are shown", () => {
  const same = sweep();
  const shown = seriesOf(same, "time_ns", "category", "light");
  const meetings = meetingsOf(same, "time_ns", "category", shown);
  expect(meetings).toHaveLength(2);
  expect(meetings[0]?.y).toBeCloseTo(200 * Math.sqrt(200));
  expect(meetings[0]?.text).toBe("Attention > Convolution, math");
  const alone = shown.filter((series) => series.of === "Attention");
  expect(meetingsOf(same, "time_ns", "category", alone)).toEqual([]);
});

test("two values have a slope, which is said to be no more", () => {
  const two = fitted("Attention", null, { slope: 2.5 });
  expect(powerText(two)).toBe("2.50*");
  expect(lawsOf(two)).toEqual([{ exponent: 2.5, factor: 1 }]);
  expect(powerText({ exponent: null, slope: null })).toBe("–");
  expect(powerText({ exponent: -0.284, slope: null })).toBe("−0.28");
});

test("tables say how a crossover is known, and what the axis is", () => {
  const [crossover] = sweep().lines[0]?.crossovers ?? [];
  if (crossover === undefined) throw new Error("There is one.");
  expect(howKnown(crossover)).toBe("measured, between 8 and 16");
  const predicted = { between: null, low: 40, high: 52, upper_exponent: 3, lower_exponent: 1 };
  expect(howKnown({ ...crossover, ...predicted })).toBe(
    "predicted, 40.0 to 52.0: powers 3.00 and 1.00 meet there",
  );
  expect(parameterTitle(sweep())).toBe("image size, px");
});

test("everything is saved exact", () => {
  const data = sweep();
  const points = pointsCsv(data, (id) => id.toUpperCase())
    .trim()
    .split("\r\n");
  expect(points).toHaveLength(1 + 2 * 3 * 3);
  expect(points[1]).toMatch(/^MATH8,baseline,8,8 x 8,math,,0,8,,category,Convolution,,1600,/);
  expect(fitsCsv(data).trim().split("\r\n")).toHaveLength(
    1 + fitsOf(data, "time_ns", "category").length,
  );
  expect(crossoversCsv(data)).toMatch(/baseline,math,category,.*,14.1 px,.*,measured,8,16\r\n/);
});
