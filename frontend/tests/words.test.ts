import { describe, expect, test } from "vitest";
import { caption, facts, headline } from "../src/pages/operators/words";
import { bar, comparison, operators, runBar } from "./fixtures";

describe("the headline", () => {
  test("of one run names the largest category and the next ones", () => {
    const one = comparison();
    one.runs.length = 1;
    expect(headline(one)).toEqual({
      sentence: "Attention takes 60.0 % of device time.",
      detail: "10.0 ms in all; then Convolution 40.0 %.",
    });
  });

  test("of two says what became of it, and what is the largest now", () => {
    expect(headline(comparison())).toEqual({
      sentence:
        "Attention takes 60.0 % of device time in math; in fused 33.3 %, " +
        "and Convolution becomes the largest.",
      detail: "fused: 6.00 ms against 10.0 ms, 1.67× as fast.",
    });
  });

  test("keeps runs on different bases apart", () => {
    const mixed = comparison();
    const fused = mixed.runs[1];
    if (fused) Object.assign(fused, { basis: "cpu_self", relative: null, speedup: null });
    const { sentence, detail } = headline(mixed);
    expect(sentence).toContain("60.0 % of device time in math; in fused 33.3 % of CPU self time");
    expect(detail).toBe("fused: 6.00 ms against 10.0 ms.");
  });

  test("of a run without time says so", () => {
    const empty = comparison();
    empty.runs = [runBar("idle", { basis_sum_ns: 0, categories: [bar("Attention", 0)] })];
    expect(headline(empty).sentence).toBe("idle holds no time to show.");
  });
});

describe("the caption", () => {
  test("says what is counted, what lengths mean, and what the dots are", () => {
    const text = caption(comparison(), "relative");
    expect(text).toMatch(/kernels, copies and sets on the device/);
    expect(text).toMatch(/relative to math/);
    expect(text).toMatch(/Dotted/);
  });

  test("says it of CPU time too, and of each run where they differ", () => {
    const mixed = comparison();
    const fused = mixed.runs[1];
    if (fused) fused.basis = "cpu_self";
    expect(caption(mixed, "absolute")).toMatch(/bars of fused add up the self time of CPU/);
  });
});

test("facts of a CPU trace speak of no device", () => {
  const names = facts(operators({ basis: "cpu_self", devices: [] })).map((fact) => fact.name);
  expect(names).toEqual(["Counted", "sum", "wall"]);
});
