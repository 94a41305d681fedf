import { expect, test } from "vitest";
import type { Workload } from "../src/api/types";
import { metric } from "../src/format";
import { factsCsv, factsOf } from "../src/pages/overview/facts";
import { overview } from "./fixtures";

const WORKLOAD: Workload = {
  model: "stable-diffusion",
  device: "cuda",
  dtype: "float16",
  image_size: [512, 768],
  frames: null,
  batch: 1,
  prompt_length: 77,
  steps: null,
  attention: "math",
  training: false,
  extra: { guidance: 7.5 },
};
const UNET = {
  name: "unet",
  class_name: "UNet2DConditionModel",
  parameters: 859_520_964,
  parameter_bytes: 1_719_041_928,
  dtype: "float16",
  device: null,
  calls: 50,
};

const RUNS = [
  {
    id: "a",
    label: "a",
    overview: overview({
      workload: WORKLOAD,
      components: [UNET],
      peak_memory_bytes: 3_210_000_000,
    }),
  },
  { id: "b", label: "b", overview: overview() },
];

test("what the annotations tell is shown, what they do not is left out", () => {
  const facts = new Map(factsOf(RUNS).map(({ name, values }) => [name, values]));
  expect([...facts.keys()]).toEqual([
    ...["model", "attention", "dtype", "device", "image", "batch", "prompt", "mode"],
    ...["peak memory", "guidance", "unet"],
  ]);
  expect(facts.get("image")).toEqual([{ text: "512 × 768 px", exact: "512 × 768 px" }, null]);
  expect(facts.get("mode")?.[0]?.text).toBe("inference");
  expect(facts.get("peak memory")?.[0]).toEqual({ text: "3.21 GB", exact: "3,210,000,000 B" });
  expect(facts.get("unet")?.[0]?.text).toBe(
    "UNet2DConditionModel, 860 M parameters, 1.72 GB, float16, 50 calls",
  );
  expect(factsOf(RUNS.slice(1))).toEqual([]);
});

test("their CSV is exact", () => {
  expect(factsCsv(RUNS)).toContain('unet,"UNet2DConditionModel, 859,520,964 parameters');
});

test("large counts are short", () => {
  expect([999, 1000, 859_520_964, 7_000_000_000].map(metric)).toEqual([
    "999",
    "1.00 k",
    "860 M",
    "7.00 G",
  ]);
});
