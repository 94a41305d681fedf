import { expect, test } from "vitest";
import { createEmbedded } from "../src/api/embedded";
import type { AlignedCall } from "../src/api/speedup";
import { layoutBars } from "../src/pages/speedup/bars";
import { allCalls, askCalls } from "../src/pages/speedup/Calls";
import { categoriesCsv, predictionCsv, waterfallCsv } from "../src/pages/speedup/export";
import { gainsOf } from "../src/pages/speedup/gains";
import {
  type Chosen,
  chosenOrigin,
  chosenPair,
  originKey,
  originsOf,
  withPair,
} from "../src/pages/speedup/pair";
import { bubbleAt, drawable, layoutShapes } from "../src/pages/speedup/shapes";
import { signed, stepsOf } from "../src/pages/speedup/waterfall";
import { bottleneckWords, detail, lawCaption } from "../src/pages/speedup/words";
import {
  alignedCall,
  alignedWindow,
  pairing,
  prediction,
  shape,
  speedup,
} from "./speedup.fixtures";

const IDS = ["other", "math", "flash"];

test("the first proposed pair is shown, and what was chosen by hand before it", () => {
  expect(chosenPair(IDS, {}, pairing(), false)).toMatchObject({ base: "math", fused: "flash" });
  const byHand = { speedup_base: "flash", speedup_fused: "other" };
  expect(chosenPair(IDS, byHand, pairing(), false)).toMatchObject({
    base: "flash",
    fused: "other",
    isByHand: true,
  });
});

test("a choice by hand does not wait for a proposal, and one that is gone does not count", () => {
  const byHand = { speedup_base: "math", speedup_fused: "other" };
  expect(chosenPair(IDS, byHand, null, true)).toMatchObject({ base: "math", fused: "other" });
  expect(chosenPair(IDS, {}, null, true)).toBeNull();
  const gone = { speedup_base: "gone", speedup_fused: "other" };
  expect(chosenPair(IDS, gone, pairing(), false)).toMatchObject({ base: "math", fused: "flash" });
  const same = { speedup_base: "math", speedup_fused: "math" };
  expect(chosenPair(IDS, same, pairing(), false)).toMatchObject({ base: "math", fused: "flash" });
});

test("runs that do not pair, and one run, show what the base could gain, with the reason", () => {
  const none = pairing({ pairs: [], alone: { other: "its annotations do not say" } });
  expect(chosenPair(IDS, {}, none, false)).toEqual({
    base: "other",
    fused: null,
    isByHand: false,
    reason: "its annotations do not say",
  });
  expect(chosenPair(["other"], {}, null, false)).toMatchObject({ base: "other", fused: null });
  expect(chosenPair([], {}, null, false)).toBeNull();
});

test("choosing the run of the other side swaps the two", () => {
  const chosen: Chosen = { base: "math", fused: "flash", isByHand: false, reason: null };
  const two = (of: Record<string, string>) => [of.speedup_base, of.speedup_fused];
  expect(two(withPair({}, chosen, { base: "flash", fused: "math" }))).toEqual(["flash", "math"]);
  expect(two(withPair({}, chosen, { base: "flash" }))).toEqual(["flash", "math"]);
  expect(two(withPair({}, chosen, { fused: "math" }))).toEqual(["flash", "math"]);
  expect(two(withPair({}, chosen, { base: "other" }))).toEqual(["other", "flash"]);
  expect(two(withPair({}, chosen, { fused: null }))).toEqual(["math", "none"]);
  expect(withPair({ call: "3" }, chosen, { fused: null }).call).toBe("3");
});

test("a prediction takes over the first pair's speedups unless others or none are chosen", () => {
  const table = { id: "a100.json", source: "replay", trace: "t", shapes: 3, implementations: [] };
  const offered = pairing({ tables: [{ ...table, device: "cuda", device_name: "A100" }] });
  expect(chosenOrigin({}, offered)).toEqual({ runs: ["math", "flash"], table: null });
  const [, byTable] = originsOf(offered);
  if (byTable === undefined) throw new Error("no table");
  expect(chosenOrigin({ speedup_from: originKey(byTable) }, offered)?.table).toBe("a100.json");
  expect(chosenOrigin({ speedup_from: "none" }, offered)).toBeNull();
  expect(chosenOrigin({}, null)).toBeNull();
});

test("the waterfall leads from the baseline to the fused run without a gap", () => {
  for (const law of speedup().amdahl) {
    const steps = stepsOf(law);
    let at = law.baseline_ns;
    for (const step of steps.filter((each) => each.part !== null)) {
      expect(step.from_ns).toBe(at);
      at = step.to_ns;
    }
    expect(at).toBe(law.fused_ns);
    const predicted = steps.findIndex((step) => step.kind === "predicted");
    expect(steps[predicted - 1]?.to_ns).toBe(law.predicted_ns);
    expect(steps[predicted]?.to_ns).toBe(law.predicted_ns);
  }
  const [, wall] = speedup().amdahl;
  const overlap = wall && stepsOf(wall).find((step) => step.kind === "overlap");
  expect(overlap && overlap.to_ns - overlap.from_ns).toBe(1_000_000);
});

test("what does not change takes no step", () => {
  const [law] = speedup().amdahl;
  if (law === undefined) throw new Error("no law");
  const same = { name: "Memory", kind: "category", baseline_ns: 5, fused_ns: 5, delta_ns: 0 };
  const steps = stepsOf({ ...law, changes: [...law.changes, same] });
  expect(steps.map((step) => step.name)).toEqual([
    "Baseline",
    "Attention",
    "Predicted",
    "Linear",
    "Fused",
  ]);
});

test("both bars of a category have one scale, relative to all time of the baseline", () => {
  const input = { speedup: speedup(), mode: "light", width: 1000 } as const;
  const relative = layoutBars({ ...input, scale: "relative" });
  expect(relative.pairs.map((pair) => pair.shift.category)).toEqual(["Attention", "Linear"]);
  const [attention, linear] = relative.pairs;
  expect(attention?.base).toEqual({ width: relative.room, text: "60.0 %" });
  expect(attention?.fused).toEqual({ width: Math.round(relative.room / 3), text: "20.0 %" });
  expect(linear?.fused.text).toBe("50.0 %");
  const absolute = layoutBars({ ...input, scale: "absolute" });
  expect(absolute.pairs[0]?.base.text).toBe("6.00 ms");
});

test("shapes lie by their lengths and speedup, the larger ones behind", () => {
  const small = shape({ name: "small", baseline_ns: 60_000, q_len: 8, median_speedup: 0.5 });
  const unknown = shape({ name: "unknown", q_len: null });
  const untimed = shape({ name: "untimed", median_speedup: null });
  const shapes = [small, shape(), unknown, untimed];
  expect(drawable(shapes).map((each) => each.name)).toEqual(["small", shape().name]);
  const bubbles = layoutShapes({ shapes, mode: "light", width: 1000 });
  const [large, little] = bubbles;
  if (large === undefined || little === undefined) throw new Error("no bubbles");
  expect([large.shape.name, little.shape.name]).toEqual([shape().name, "small"]);
  expect(large.radius).toBeGreaterThan(little.radius);
  expect(little.x).toBeLessThan(large.x);
  expect(little.y).toBeGreaterThan(large.y);
  expect(bubbleAt(bubbles, little.x, little.y)?.shape.name).toBe("small");
  expect(bubbleAt(bubbles, 0, 0)).toBeNull();
});

test("of a prediction only the recorded bar is measured", () => {
  const flash = {
    implementation: "flash",
    attention_ns: 2_000_000,
    total_ns: 6_000_000,
    speedup: 10 / 6,
    module_speedup: 3,
    covered_share: 0.9,
    calls: 2,
  };
  const gains = gainsOf(prediction({ predicted: [flash], source: "pair on GPU" }));
  expect(gains.map(({ kind, total_ns }) => [kind, total_ns])).toEqual([
    ["recorded", 10_000_000],
    ["predicted", 6_000_000],
    ["limit", 4_000_000],
  ]);
  expect(gains[1]?.note).toBe("predicted, of 90.0 % of attention");
  const lines = predictionCsv(prediction({ predicted: [flash] })).split("\r\n");
  expect(lines[2]).toMatch(/^predicted,flash,2000000,6000000,/);
});

test("words say what is measured and what is not", () => {
  const [law] = speedup().amdahl;
  expect(law && lawCaption(law)).toContain(
    "attention took 60.0 % of the baseline and became 3.00× as fast, which predicts 1.67× (hatched); " +
      "without any attention 2.50×; measured 1.43×.",
  );
  expect(detail(speedup())).toBe(
    "baseline GPU, math, float16; fused GPU, flash, float16. All 2 calls of attention aligned.",
  );
  expect(detail(speedup({ unaligned_fused: 1_200 }))).toContain(
    "2 calls of attention aligned, 1,200 not.",
  );
  expect(bottleneckWords({ before: "A", before_share: 0.5, after: "A", after_share: 0.25 })).toBe(
    "A is the largest category before and after: 50.0 %, then 25.0 %.",
  );
  expect([signed(1_500_000), signed(-1_500_000), signed(0)]).toEqual([
    "+1.50 ms",
    "−1.50 ms",
    "0 s",
  ]);
});

test("files hold the figures of the charts, exact", () => {
  expect(categoriesCsv(speedup().categories).split("\r\n")[1]).toBe(
    "Attention,6000000,2000000,-4000000,0.6,0.2857142857142857,3",
  );
  const [law] = speedup().amdahl;
  const lines = law ? waterfallCsv(law).split("\r\n") : [];
  expect(lines[2]).toBe("sum,Attention,category,10000000,6000000,-4000000,6000000,2000000,");
  expect(lines.at(-2)).toBe(`sum,Fused,fused,0,7000000,,,,${10 / 7}`);
});

test("a report sorts its own list of calls, each list under its own name", async () => {
  const calls = [alignedCall(0), { ...alignedCall(1), speedup: 5 }, alignedCall(2)];
  const views = { aligned: { "a\nb": alignedWindow(calls) } };
  const none = { page: "", operators: {}, overview: {}, compare: {} };
  const runs = { schema_version: 1, runs: [], message: null };
  const client = createEmbedded({ ...none, runs, views });
  const source = { client, base: "a", fused: "b", selection: [] };
  const ask = { first: 0, count: 2, at: null, signal: new AbortController().signal };
  const sort = { column: "speedup", descending: true };
  const window = await askCalls<AlignedCall>(source, "aligned", sort, ask);
  expect([window.total, ...window.rows.map((row) => row.baseline_index)]).toEqual([3, 1, 0]);
  expect(await allCalls(source, "aligned", null)).toHaveLength(3);
  await expect(askCalls(source, "unaligned", null, ask)).rejects.toThrow("does not hold");
});
