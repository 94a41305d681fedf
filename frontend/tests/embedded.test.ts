import { expect, test } from "vitest";
import { createEmbedded } from "../src/api/embedded";
import { comparison, operators, overview, run } from "./fixtures";

const CLIENT = createEmbedded({
  page: "overview",
  runs: { schema_version: 1, runs: [run("math"), run("fused")], message: null },
  operators: { math: operators(), fused: operators({ trace: "other" }) },
  overview: { math: overview(), fused: overview() },
  compare: { math: comparison(), fused: { ...comparison(), base: "fused" } },
  views: {
    speedup: { "math\nfused": { view: "speedup" } },
    pairs: { "math\nfused": { pairs: [] } },
  },
});

test("what a report holds is given without a server", async () => {
  expect(CLIENT.isLive).toBe(false);
  expect((await CLIENT.operators("fused")).trace).toBe("other");
  expect((await CLIENT.overview("math")).sentence).toContain("idle");
  await expect(CLIENT.operators("toString")).rejects.toThrow("does not hold toString");
});

test("the first run asked for is the base, and the others come in the order asked for", async () => {
  const { comparison: found } = await CLIENT.compare(["fused", "math"]);
  expect(found?.base).toBe("fused");
  expect(found?.runs.map((each) => each.run)).toEqual(["fused", "math"]);
  const alone = await CLIENT.compare(["math"]);
  expect(alone.comparison?.runs.map((each) => each.run)).toEqual(["math"]);
});

test("a view of several runs is found by all of them, in their order", async () => {
  expect(await CLIENT.view("speedup", ["math", "fused"])).toEqual({ view: "speedup" });
  await expect(CLIENT.view("speedup", ["fused", "math"])).rejects.toThrow("fused and math");
  await expect(CLIENT.view("phases", ["math"])).rejects.toThrow("does not hold math");
  expect(CLIENT.holds("speedup", ["math", "fused"])).toBe(true);
  expect(CLIENT.holds("speedup", ["fused", "math"])).toBe(false);
});

test("which runs belong together is told whichever of them are chosen", async () => {
  expect(await CLIENT.view("pairs", ["fused"])).toEqual({ pairs: [] });
});
