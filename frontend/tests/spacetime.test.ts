import { expect, test } from "vitest";
import type { AxisRow, FramesSweep, SpaceTime } from "../src/api/spacetime";
import { axesOf, layoutOf as layoutBars, pairAt } from "../src/pages/spacetime/bars";
import { axesCsv, sweepCsv } from "../src/pages/spacetime/export";
import {
  drawnCrossover,
  fitAt,
  layoutOf as layoutSweep,
  pointAt,
  powers,
} from "../src/pages/spacetime/sweep";
import { flops, headline, rangeText, type Spaced } from "../src/pages/spacetime/words";

function axis(name: string, change: Partial<AxisRow> = {}): AxisRow {
  return {
    axis: name,
    calls: 12,
    time_ns: 1_000_000,
    share: 0.5,
    flops: 2_000_000_000,
    flops_per_s: 2e12,
    q_range: [8, 8],
    batch_range: [4, 16],
    in_batch: "the positions of a frame are in the batch",
    causal_calls: 0,
    causal_unknown: 0,
    ...change,
  };
}

function spaced(label: string, change: Partial<SpaceTime> = {}): Spaced {
  const data: SpaceTime = {
    schema_version: 1,
    view: "spatial-temporal",
    trace: "worker0.pt.trace.json",
    basis: "device",
    selection: {},
    frames: 8,
    axes: [axis("sequence"), axis("temporal"), axis("spatial", { time_ns: 4_000_000 })],
    layers: [],
    temporal_over_spatial_time: 0.25,
    spatial_over_temporal_flops: 1,
    sentence: "Temporal attention takes 4x less time.",
    warnings: [],
    ...change,
  };
  return { id: label, label, data };
}

/** FLOPs 1000·f in space and 10·f² in time: equal at 100 frames. */
function sweep(frames: readonly number[] = [4, 8, 16], at = 100): FramesSweep {
  const point = (count: number, name: string, value: number) => ({
    run: `f${count}`,
    frames: count,
    basis: "cpu" as const,
    axis: name,
    time_ns: value,
    flops: value,
    calls: 1,
  });
  return {
    schema_version: 1,
    view: "frames",
    points: frames.flatMap((count) => [
      point(count, "spatial", 1000 * count),
      point(count, "temporal", 10 * count ** 2),
    ]),
    fits: [
      { axis: "spatial", of: "flops", exponent: 1, factor: 1000 },
      { axis: "temporal", of: "flops", exponent: 2, factor: 10 },
      { axis: "spatial", of: "time_ns", exponent: null, factor: null },
    ],
    crossovers: [{ of: "flops", frames: at, measured: false }],
    left_out: [],
    sentence: "FLOPs grow.",
    warnings: [],
  };
}

test("space and time come first, whatever takes longest", () => {
  expect(axesOf(spaced("a").data).map((row) => row.axis)).toEqual([
    ...["spatial", "temporal", "sequence"],
  ]);
});

test("bars of all runs have one scale of time and one of FLOPs", () => {
  const runs = [spaced("a"), spaced("b", { axes: [axis("sequence", { time_ns: 2_000_000 })] })];
  const { pairs, names } = layoutBars({ runs, mode: "light", width: 1000 });
  expect(names.map((name) => name.text)).toEqual(["a", "b"]);
  const lengths = pairs.map((pair) => pair.time.length);
  expect(lengths[3]).toBeCloseTo((lengths[0] as number) / 2);
  expect(new Set(pairs.map((pair) => pair.work.length)).size).toBe(1);
});

test("a model without time has the one bar, and a pixel tells it", () => {
  const run = spaced("a", { frames: null, axes: [axis("sequence")] });
  const layout = layoutBars({ runs: [run], mode: "light", width: 600 });
  expect(layout.pairs).toHaveLength(1);
  expect(pairAt(layout, (layout.pairs[0]?.y ?? 0) + 3)).toBe(0);
  expect(pairAt(layout, 0)).toBe(-1);
  expect(headline([run], null).detail).toMatch(/^All its attention is sequence/);
});

test("the headline is the run's sentence, of several runs of different frames the sweep's", () => {
  expect(headline([spaced("a")], null)).toEqual({
    sentence: "Temporal attention takes 4x less time.",
    detail: "8 frames.",
  });
  expect(headline([spaced("a"), spaced("b")], sweep()).sentence).toBe("FLOPs grow.");
  const unfitted = { ...sweep(), fits: [] };
  expect(headline([spaced("a"), spaced("b")], unfitted).sentence).toMatch(/^a: Temporal/);
});

test("a crossover near the data is drawn, one far from it is only told", () => {
  expect(drawnCrossover(sweep(), "flops")?.frames).toBe(100);
  expect(drawnCrossover(sweep([4, 8], 100_000), "flops")).toBeNull();
  expect(drawnCrossover(sweep([4, 8], 0.2), "flops"), "less than a frame").toBeNull();
  expect(drawnCrossover(sweep(), "time_ns")).toBeNull();
});

test("curves meet at the crossover, in the place that the axis gives it", () => {
  const input = { sweep: sweep(), of: "flops", mode: "light", width: 600, height: 300 } as const;
  const layout = layoutSweep(input);
  const [space, time] = input.sweep.fits.map((fit) => fitAt(fit, 100));
  expect(space).toBeCloseTo(time as number);
  expect(layout.seen).toEqual([4, 16]);
  expect(layout.frames[1]).toBeGreaterThan(100);
  expect(layout.xOf(100)).toBeLessThan(600);
  // Twice the frames are equally far from each other everywhere.
  expect(layout.xOf(16) - layout.xOf(8)).toBeCloseTo(layout.xOf(8) - layout.xOf(4));
  expect(pointAt(input, layout, layout.xOf(8), layout.yOf(640))).toBe(3);
  expect(pointAt(input, layout, 0, 0)).toBe(-1);
});

test("marks are powers, as many as find room", () => {
  expect(powers([3, 70], 2, 10)).toEqual([4, 8, 16, 32, 64]);
  expect(powers([1, 1e6], 10, 3)).toEqual([1, 1000, 1e6]);
});

test("figures are written with their units", () => {
  expect([flops(617_000_000), flops(12), flops(58_560_509_255_680)]).toEqual([
    ...["617 MFLOP", "12 FLOP", "58.6 TFLOP"],
  ]);
  expect([rangeText([8, 8]), rangeText([64, 4096])]).toEqual(["8", "64 to 4,096"]);
});

test("figures are saved exact", () => {
  const [, first] = axesCsv([spaced("a")]).split("\r\n");
  expect(first).toMatch(/^a,device,8,spatial,12,4000000,0.5,2000000000,2000000000000,8,8,4,16,the/);
  const lines = sweepCsv(sweep([4, 8]), (id) => id.toUpperCase())
    .trim()
    .split("\r\n");
  const cells = (line: string | undefined) => line?.split(",");
  expect(cells(lines[1])).toEqual([
    ...["point", "F4", "spatial", "", "4", "4000", "4000", "1", "", "", ""],
  ]);
  expect(cells(lines.at(-1))).toEqual([
    ...["crossover", "", "", "flops", "100", "", "", "", "", "", "predicted"],
  ]);
  expect(new Set(lines.map((line) => line.split(",").length)).size).toBe(1);
});
