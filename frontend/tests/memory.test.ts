import { expect, test } from "vitest";
import type { DeviceMemory, GrowthFit, Memory, Stage } from "../src/api/memory";
import { columnAt, layoutOf, stacked } from "../src/pages/memory/area";
import { fitsOf, isSweep, ofRun, ofRuns, seriesOf } from "../src/pages/memory/curves";
import { growthCsv, timeCsv } from "../src/pages/memory/export";
import { BEFORE, lengthsOf, sentence, stepFacts } from "../src/pages/memory/words";

function fitted(
  of: string,
  from_size: number,
  to_size: number,
  exponent: number | null,
): GrowthFit {
  return {
    of,
    from_size,
    to_size,
    unit: "px",
    points: 3,
    exponent,
    factor: 1,
    largest_deviation: 0,
  };
}

function sized(image_size_px: number | null, bytes: number) {
  const latent_side = (image_size_px ?? 64) / 8;
  const paper_bytes = bytes / 2;
  return { image_size_px, latent_side, self_bytes: bytes, cross_bytes: 0, bytes, paper_bytes };
}

/** Score matrices of 64, 128 and 256 px, of which 128 was recorded. */
function memory(change: Partial<Memory> = {}): Memory {
  return {
    image_size_px: 128,
    similarity: {
      component: "unet",
      steps: 3,
      parameters: { latent_side: 16, positions: 256, depth: 2, d: 2, text_tokens: 77, reason: "" },
      paper_bytes: 500,
      one_head_bytes: 1000,
      one_head_over_paper: 2,
      real_bytes: 8000,
      real_over_paper: 16,
      recorded_bytes: 8000,
      measured_bytes: null,
      largest_bytes: 4000,
      paper_call_bytes: 100,
    },
    growth: {
      points: [64, 128, 256].map((px) => ({
        ...sized(px, px ** 4),
        real_bytes: null,
        recorded: px === 128,
      })),
      fits: [
        fitted("bytes", 128, 256, 3.97),
        fitted("bytes", 64, 128, 3.58),
        fitted("paper_bytes", 64, 256, null),
      ],
      reason: null,
      sentence: "It grows.",
    },
    ...change,
  } as unknown as Memory;
}

test("of one run the sizes are computed, and its own is recorded", () => {
  const grown = ofRun(memory(), "sd");
  expect(grown.unit).toBe("px");
  expect(grown.points.map(({ run, recorded_bytes }) => [run, recorded_bytes])).toEqual([
    [null, null],
    ["sd", 8000],
    [null, null],
  ]);
  const series = seriesOf(grown, "light");
  expect(series.map(({ of, points }) => [of, points.length])).toEqual([
    ["paper_bytes", 3],
    ["bytes", 3],
    ["self_bytes", 3],
    ["recorded_bytes", 1],
  ]);
  expect(
    series[1]?.laws.map(({ fitted }) => fitted),
    "small sizes first",
  ).toEqual([
    [64, 128],
    [128, 256],
  ]);
  expect(fitsOf(grown, "paper_bytes"), "a fit without an exponent is none").toEqual([]);
});

test("runs of one size are no sweep; without pixels the latent counts", () => {
  const of = (...sizes: (number | null)[]) => ({
    schema_version: 1,
    view: "memory-growth" as const,
    points: sizes.map((px, at) => ({
      ...sized(px, 1000),
      real_bytes: 4000,
      run: `r${at}`,
      text_tokens: 77,
      recorded_bytes: null,
      peak_bytes: 5000,
    })),
    fits: [],
    left_out: [],
    sentence: "",
    warnings: [],
  });
  expect([isSweep(null), isSweep(of(64, 64)), isSweep(of(64, 128))]).toEqual([false, false, true]);
  const grown = ofRuns(of(64, null));
  expect(grown.unit).toBe("latent");
  const peak = seriesOf(grown, "dark").find((series) => series.of === "peak_bytes");
  expect(peak?.points).toEqual([
    { x: 8, y: 5000 },
    { x: 8, y: 5000 },
  ]);
});

test("formula, corrected and recorded stand side by side, what no run has does not", () => {
  const facts = stepFacts([{ id: "a", label: "a", data: memory() }]);
  const of = (name: string) => facts.find((fact) => fact.name === name)?.values[0];
  expect(of("Paper's formula")).toEqual({ text: "500 B", exact: "500 B" });
  expect(of("With heads, batch and dtype")?.text).toBe("7.81 KiB (16.0×)");
  expect(of("Recorded")?.exact).toBe("8,000 B");
  expect(of("Latent")?.text).toBe("16 × 16");
  expect(facts.map((fact) => fact.name)).not.toContain("Allocated inside the calls");
});

test("keys that grow are a range", () => {
  const stage = (kv_len_least: number) => ({ q_len: 1, kv_len: 4096, kv_len_least }) as Stage;
  expect(lengthsOf(stage(4096))).toBe("1 × 4,096");
  expect(lengthsOf(stage(2048))).toBe("1 × 2,048 to 4,096");
  expect(sentence("no allocations were recorded")).toBe("No allocations were recorded.");
});

const DEVICE = {
  peak_bytes: 300,
  series: {
    at_ns: [0, 100, 400],
    allocated_bytes: [100, 300, 100],
    reserved_bytes: [null, null, null],
    categories: { Linear: [0, 200, 0], [BEFORE]: [100, 100, 100] },
    changes: 2,
  },
} as unknown as DeviceMemory;

test("memory holds from one change to the next", () => {
  const layout = layoutOf({ device: DEVICE, mode: "light", width: 500, height: 200 });
  const at = (ns: number) => columnAt(DEVICE.series, layout, layout.xOf(ns));
  expect([at(0), at(99), at(101), at(399), at(400)]).toEqual([0, 0, 1, 1, 2]);
  expect(columnAt(DEVICE.series, layout, 0), "beside the chart").toBe(-1);
  expect(layout.yOf(300)).toBeLessThan(layout.yOf(100));
  expect(stacked(DEVICE.series), "what was there lies below").toEqual([BEFORE, "Linear"]);
});

test("what the allocator held is drawn unless it would dwarf the rest", () => {
  const held = (reserved_peak_bytes: number | null) => ({ ...DEVICE, reserved_peak_bytes });
  const most = (device: DeviceMemory) =>
    layoutOf({ device, mode: "light", width: 500, height: 200 }).most;
  expect([null, 500, 9000].map((bytes) => most(held(bytes)))).toEqual([300, 500, 300]);
});

test("figures are saved exact", () => {
  expect(timeCsv(DEVICE.series).split("\r\n")[2]).toBe("100,300,,200,100");
  const lines = growthCsv(ofRun(memory(), "sd"), (id) => id.toUpperCase())
    .trim()
    .split("\r\n");
  expect(lines).toHaveLength(1 + 3 + 3);
  expect(lines[2]).toMatch(/^size,SD,128,16,134217728,268435456,268435456,,8000,,/);
  expect(lines[4]).toMatch(/^fit,,,,,,,,,,bytes,px,128,256,3,3.97,1,0$/);
  expect(new Set(lines.map((line) => line.split(",").length)).size).toBe(1);
});
