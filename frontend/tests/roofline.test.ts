import { expect, test } from "vitest";
import type { DeviceRates, RoofFigures, Roofline, RoofOp } from "../src/api/roofline";
import { flopCount, flopRate } from "../src/format";
import { withWork } from "../src/pages/operators/work";
import { decades, layoutOf, placedAt } from "../src/pages/roofline/chart";
import { capacityCsv, rowsCsv } from "../src/pages/roofline/export";
import { acrossOf, decisive, pointsOf, type Roofed } from "../src/pages/roofline/points";
import { roofsOf } from "../src/pages/roofline/roofs";
import { caption, headline, tableTitle } from "../src/pages/roofline/words";
import { DEFAULT_STATE } from "../src/state/url";
import { operators } from "./fixtures";

const DEVICE: DeviceRates = {
  name: "Made",
  source: "invented",
  bandwidth: 1e12,
  matrix: { float64: 5e12, float32: 10e12, tf32: 50e12, bfloat16: 100e12, float16: 100e12 },
  vector: { float32: 12e12 },
};

function figures(name: string, time_ns: number, flops: number, moved: number): RoofFigures {
  return {
    name,
    calls: 1,
    launches: 1,
    time_ns,
    covered: 1,
    flops,
    moved_bytes: moved,
    intensity: flops / moved,
    flops_per_s: (flops / time_ns) * 1e9,
    bytes_per_s: (moved / time_ns) * 1e9,
    roof_ns: 10,
    roof_flops_per_s: 1e12,
    efficiency: 10 / time_ns,
    saving_ns: time_ns - 10,
    bound: "neither",
    bound_ns: { neither: time_ns },
  };
}

function op(name: string, time_ns: number, flops: number, category: string): RoofOp {
  return { ...figures(name, time_ns, flops, 1000), shapes: "[[8]]", dtype: "bfloat16", category };
}

function run(id: string, change: Partial<Roofline> = {}): Roofed {
  const data: Roofline = {
    trace: `${id}.json`,
    basis: "device",
    basis_sum_ns: 200_000,
    device_name: "Made GPU",
    device: DEVICE,
    as_if: false,
    devices: ["Made"],
    ridge: 100,
    high_share: 0.6,
    launch_ns: 10_000,
    whole: figures("all", 100_000, 1e9, 1e6),
    categories: [figures("Linear", 90_000, 9e8, 1000), figures("Memory", 10_000, 0, 1000)],
    components: [figures("unet", 100_000, 1e9, 1e6)],
    phases: [],
    ops: [
      op("aten::mm", 90_000, 9e8, "Linear"),
      op("aten::copy_", 10_000, 0, "Memory"),
      op("aten::add", 50, 8, "Elementwise"),
    ],
    ops_total: 3,
    capacity: [],
    sentence: `${id} is far from its roof.`,
    warnings: [],
    ...change,
  };
  return { id, label: id, data };
}

const CAPACITY = {
  component: "unet",
  parameters: 10,
  parameter_bytes: 20,
  calls: 2,
  flops: 1_000_000_000,
  intensity: 5e7,
  intensity_per_call: 2.5e7,
  moved_intensity: 1000,
};

test("what does no arithmetic has no mark, and small ops do not stretch the axes", () => {
  const points = pointsOf([run("a")], "op", "moved", "light");
  expect(points.map((point) => [point.row.name, point.place])).toEqual([
    ["aten::mm", 0],
    ["aten::add", 2],
  ]);
  expect(decisive(points).map((point) => point.row.name)).toEqual(["aten::mm"]);
});

test("runs differ in shape, categories in colour", () => {
  const points = pointsOf([run("a"), run("b")], "category", "moved", "light");
  expect(points.map((point) => point.shape)).toEqual(["disc", "square"]);
  expect(new Set(points.map((point) => point.color)).size).toBe(1);
});

test("by capacity the paper's intensity is across", () => {
  const runs = [run("a", { capacity: [CAPACITY] })];
  const asked = { ...DEFAULT_STATE, of: { roofline_x: "capacity" } };
  expect(acrossOf(asked, runs)).toBe("capacity");
  expect(acrossOf(asked, [run("a")])).toBe("moved");
  const [point] = pointsOf(runs, "component", "capacity", "light");
  expect([point?.x, point?.y]).toEqual([5e7, 1e13]);
});

test("roofs are those of the dtypes in use, equal rates in one line", () => {
  const roofs = roofsOf(DEVICE, run("a").data);
  expect(roofs.map((roof) => [roof.dtypes.join(), roof.rate, roof.isMatrix])).toEqual([
    ["bfloat16,float16", 100e12, true],
    ["float32", 12e12, false],
  ]);
});

test("marks lie where their figures say, below the roofs, and are found there", () => {
  const runs = [run("a")];
  const points = pointsOf(runs, "op", "moved", "light");
  const input = { points, runs, level: "op", across: "moved", mode: "light", width: 900 } as const;
  const { placed, xOf, yOf, x, y } = layoutOf(input);
  const [mark] = placed;
  expect(mark?.point.row.name).toBe("aten::mm");
  expect([mark?.x, mark?.y]).toEqual([xOf(9e5), yOf(1e13)]);
  expect(yOf(100e12)).toBeLessThan(mark?.y ?? 0);
  expect([x.from <= 100, y.to >= 100e12]).toEqual([true, true]);
  expect(placedAt(placed, (mark?.x ?? 0) + 3, mark?.y ?? 0)).toBe(mark);
  expect(placedAt(placed, 0, 0)).toBeNull();
});

test("without a device there are marks and no roofs", () => {
  const runs = [run("a", { device: null })];
  const points = pointsOf(runs, "op", "moved", "light");
  const input = { points, runs, level: "op", across: "moved", mode: "light", width: 900 } as const;
  expect(layoutOf(input).ceilings).toEqual([]);
  expect(layoutOf(input).placed).toHaveLength(1);
  expect(tableTitle(runs[0]?.data as Roofline, "op")).toBe("Ops by time");
});

test("axes have powers of ten, fewer where there is little room", () => {
  const scale = { from: 0.5, to: 2e6, isLog: true };
  expect(decades(scale, 10)).toEqual([1, 10, 100, 1000, 1e4, 1e5, 1e6]);
  expect(decades(scale, 4)).toEqual([1, 100, 1e4, 1e6]);
});

test("the words are the server's, with their runs", () => {
  expect(headline([run("a")]).sentence).toBe("a is far from its roof.");
  const { sentence, detail } = headline([run("a"), run("b")]);
  expect([sentence, detail]).toEqual(["a: a is far from its roof.", "b: b is far from its roof."]);
  expect(caption([run("a")], "op", "moved")).toContain("rates of Made without sparsity");
});

test("the CSV has every row, also of what is not drawn", () => {
  const lines = rowsCsv([run("a")], "op")
    .trim()
    .split("\r\n");
  expect(lines).toHaveLength(4);
  expect(lines[2]).toContain("aten::copy_");
  expect(capacityCsv([run("a", { capacity: [CAPACITY] })])).toContain("a,unet,10,20,2,1000000000");
});

test("the work of a row stands beside its time, and kernels have none", () => {
  const work = { flops: 2e9, moved_bytes: 1e6, flops_per_s: 2e12, intensity: 2000 };
  const rows = [
    { path: ["Linear"], ...work },
    { path: ["Linear", "aten::mm"], ...work, flops: 1e9 },
  ];
  const answer = { trace: "", rows, sentence: "", warnings: [] };
  const [attention, linear] = withWork(operators(), answer).categories;
  expect(attention?.flops).toBeUndefined();
  expect(linear).toMatchObject({ sum_ns: 1_000_000, ...work });
  expect(linear?.children[0]).toMatchObject({ flops: 1e9, intensity: 2000 });
  expect(linear?.children[0]?.children[0]?.flops).toBeUndefined();
  expect(withWork(operators(), null)).toEqual(operators());
});

test("FLOPs are told with the prefix of their unit", () => {
  expect(flopCount(4.164e12)).toBe("4.16 TFLOP");
  expect(flopCount(35_800)).toBe("35.8 kFLOP");
  expect(flopCount(8)).toBe("8.00 FLOP");
  expect(flopRate(0)).toBe("0 FLOP/s");
  expect(flopRate(null)).toBe("–");
});
