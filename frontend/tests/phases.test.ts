import { expect, test } from "vitest";
import type { PhaseRow, Phases, Stretch } from "../src/api/phases";
import { layoutOf, partsOf, servedText, stretchAt } from "../src/pages/phases/band";
import { phasesCsv, stretchesCsv } from "../src/pages/phases/export";
import { type Phased, withoutCalls } from "../src/pages/phases/phased";
import { columnsOf, phaseNodes } from "../src/pages/phases/table";
import { caption, figuresOf, headline } from "../src/pages/phases/words";
import { overview } from "./fixtures";

function phaseRow(phase: string | null, change: Partial<PhaseRow> = {}): PhaseRow {
  return {
    phase,
    sum_ns: 1_000_000,
    busy_ns: 1_000_000,
    share: 0.5,
    device_busy_share: null,
    attention_ns: 250_000,
    attention_share: 0.25,
    calls: 4,
    rounds: 1,
    tokens: 512,
    intensity: 59.3,
    intensity_share: 0.8,
    reasons: { "as many keys as queries": 4 },
    ...change,
  };
}

function stretch(phase: string | null, start_ns: number, dur_ns: number): Stretch {
  return { phase, component: "llama", start_ns, dur_ns, rounds: 1, reason: null };
}

function phases(change: Partial<Phases> = {}): Phases {
  return {
    schema_version: 1,
    view: "phases",
    trace: "worker0.pt.trace.json",
    basis: "device",
    basis_sum_ns: 2_000_000,
    wall_ns: 2_000_000,
    training: false,
    phases: [phaseRow("prefill"), phaseRow("decode", { tokens: null, intensity: null })],
    stretches: [stretch("prefill", 100, 900), stretch("decode", 1000, 500)],
    each: 1,
    time_to_first_token_ns: 900,
    time_per_token_ns: null,
    paces: [],
    served: [],
    sentence: "Time by phase: 50 % prefill, 50 % decode.",
    warnings: [],
    ...change,
  };
}

function phased(label: string, change: Partial<Phases> = {}): Phased {
  return { id: `${label}/0`, label, phases: phases(change), overview: overview() };
}

test("a time tells the stretch there, the later one where they overlap, or one near by", () => {
  const all = [stretch("encode", 0, 1000), stretch("denoise", 400, 200), stretch(null, 2000, 10)];
  expect(stretchAt(all, 100, 0)).toBe(0);
  expect(stretchAt(all, 500, 0)).toBe(1);
  expect(stretchAt(all, 1500, 0)).toBe(-1);
  expect(stretchAt(all, 1950, 50)).toBe(2);
  expect(stretchAt([], 0, 10)).toBe(-1);
});

test("pixels are counted from the start of the timeline that the overview shows", () => {
  const run = phased("a");
  const late = { ...run.overview, strip: { ...run.overview.strip, start_ns: 1000 } };
  const layout = layoutOf({
    run: { ...run, overview: late },
    finer: null,
    mode: "light",
    width: 100,
    from_ns: 500,
    span_ns: 1000,
  });
  expect([layout.xOf(1500), layout.nsAt(100)]).toEqual([0, 2500]);
});

test("served steps have a band of their own only where there are some", () => {
  const step = { name: "s", start_ns: 0, dur_ns: 1, phase: "mixed", prefills: 2, decodes: 30 };
  const served = [{ ...step, prefill_tokens: null, decode_tokens: null }];
  const input = { finer: null, mode: "light", width: 9, from_ns: 0, span_ns: 9 } as const;
  const heights = [phased("a"), phased("a", { served })].map(
    (run) => layoutOf({ run, ...input }).height,
  );
  expect(heights[1]).toBeGreaterThan(heights[0] as number);
  expect(
    servedText({
      ...step,
      prefills: null,
      decodes: null,
      prefill_tokens: null,
      decode_tokens: null,
    }),
  ).toBe("mixed");
  expect(served.map(servedText)).toEqual(["2 prefill + 30 decode"]);
});

test("attention takes its part of what is busy, also where categories overlap", () => {
  const { strip } = overview();
  const both = {
    ...strip,
    categories: ["Attention", "Linear"],
    busy_ns: [[600], [600]],
    device_busy_ns: [800],
  };
  expect(partsOf(both, 1000)(0)).toEqual({ busy: 0.8, attention: 0.4 });
  const none = { ...both, categories: ["Linear"], busy_ns: [[0]], device_busy_ns: [0] };
  expect(partsOf(none, 1000)(0)).toEqual({ busy: 0, attention: 0 });
});

test("rows are of phases, the runs beside each other, with their reasons below", () => {
  const alone = phaseNodes([phased("a")]);
  expect(alone.map((node) => node.name)).toEqual(["prefill", "decode"]);
  expect(alone[0]?.children.map((node) => [node.name, node.data.calls])).toEqual([
    ["as many keys as queries", 4],
  ]);
  const two = phaseNodes([
    phased("a"),
    phased("b", { phases: [phaseRow(null), phaseRow("decode"), phaseRow("prefill")] }),
  ]);
  expect(two.map((node) => node.name)).toEqual([
    ...["prefill · a", "prefill · b", "decode · a", "decode · b"],
    "no phase · b",
  ]);
  expect(new Set(two.map((node) => node.id)).size).toBe(5);
});

test("a row's pace is that of the component with most rounds, and encoders have none", () => {
  const pace = (component: string, phase: string, rounds: number, median_ns: number) => ({
    ...{ component, phase, rounds, median_ns },
    total_ns: rounds * median_ns,
  });
  const run = phased("a", {
    phases: [phaseRow("encode"), phaseRow("denoise")],
    paces: [
      pace("text", "encode", 2, 63_000_000),
      pace("small", "denoise", 2, 1_000_000),
      pace("unet", "denoise", 50, 250_000_000),
    ],
  });
  expect(phaseNodes([run]).map((node) => node.data.per_unit_ns)).toEqual([null, 250_000_000]);
  const column = columnsOf([run]).find((each) => each.id === "per_unit_ns");
  expect(column?.title).toBe("per round ms");
  const names = figuresOf([run]).map((row) => row.name);
  expect(names).toContain("time per denoising step, unet");
  expect(names.join()).not.toContain("text");
});

test("figures of several runs stand side by side, and what no run has is left out", () => {
  const rows = figuresOf([phased("a"), phased("b", { time_to_first_token_ns: null })]);
  const first = rows.find((row) => row.name === "time to first token");
  expect(first?.values.map((value) => value?.text ?? null)).toEqual(["900 ns", null]);
  expect(rows.map((row) => row.name)).not.toContain("time per token");
});

test("the headline is the server's sentence, under each run's name where there are several", () => {
  expect(headline([phased("a")]).sentence).toBe("Time by phase: 50 % prefill, 50 % decode.");
  const { sentence, detail } = headline([phased("a"), phased("b"), phased("c"), phased("d")]);
  expect(sentence).toMatch(/^a: Time by phase/);
  expect(detail).toMatch(/^b: .* c: .* 1 more below\.$/);
});

test("the caption says where stretches lie: on the device, where there is one", () => {
  expect(caption([phased("a")], "shared")).toContain("the end of their work on the device");
  const cpu = { ...phased("a"), overview: overview({ basis: "cpu_self" }) };
  expect(caption([cpu], "shared")).toContain("the end of their code on the CPU.");
  expect(caption([cpu], "shared")).not.toContain("work on the device");
});

test("figures are saved exact, stretches as far as they are shown", () => {
  const [header, first, reason] = phasesCsv([phased("a")]).split("\r\n");
  expect(header).toMatch(/^run,phase,sum_ns,busy_ns,share/);
  expect(first).toMatch(/^a,prefill,1000000,1000000,0.5,,250000/);
  expect(reason).toMatch(/as many keys as queries,4$/);
  const start = overview().strip.start_ns;
  const lines = stretchesCsv([phased("a")], [1200 - start, 1400 - start])
    .trim()
    .split("\r\n");
  expect(lines.slice(1)).toEqual(["a,decode,llama,1000,500,1,"]);
});

test("the overview is not asked with filters of calls", () => {
  const selection = [
    ["component", "unet"],
    ["phase", "decode"],
    ["kind", "self"],
    ["axis", "temporal"],
    ["pass", "forward"],
  ] as const;
  expect(withoutCalls(selection).map(([name]) => name)).toEqual(["component", "pass"]);
});
