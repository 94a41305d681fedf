import { expect, test, vi } from "vitest";
import type { Client } from "../src/api/client";
import { createEmbedded } from "../src/api/embedded";
import type { Outcome, Paper, PaperRun, SettingPanels } from "../src/api/paper";
import { App } from "../src/app";
import { PaperPage } from "../src/pages/paper";
import { claimsCsv, shownLines } from "../src/pages/paper/Claims";
import { FIGURES } from "../src/pages/paper/figures";
import type { BarsPanel, Drawn, XyPanel } from "../src/pages/paper/model";
import { createStore, useStoreState } from "../src/state/location";
import { button, click, draw, until } from "./dom";
import { run } from "./fixtures";

function outcome(of: string, change: Partial<Outcome> = {}): Outcome {
  const value = { measured: null, low: null, high: null, measured_words: null, ratio: null };
  return { of, setting: 0, ...value, verdict: "not measurable here", why: "no run", ...change };
}

const NO_NEEDS = { needs: [] };

function panels(change: Partial<SettingPanels> = {}): SettingPanels {
  const rates = { peak_flops_per_s: null, bandwidth_bytes_per_s: null, ridge: null };
  return {
    setting: 0,
    roofline: { points: [], device: null, ...rates, ...NO_NEEDS },
    operators: { bars: [], needs: [{ what: "a pair of muse", command: "genscope suite run" }] },
    lengths: { series: [], ...NO_NEEDS },
    sizes: { sizes: [], ...NO_NEEDS },
    growth: { points: [], fits: [], ...NO_NEEDS },
    axes: { bars: [], ratios: [], ...NO_NEEDS },
    frames: { sizes: [], ...NO_NEEDS },
    speedups: {
      cells: [
        {
          ...{ model: "muse", baseline: "math", fused: "flash", speedup: 2.28 },
          ...{ low: null, high: null, how: "wall time without a profiler" },
        },
      ],
      needs: [],
    },
    phases: { cells: [], ...NO_NEEDS },
    ...change,
  };
}

function paper(change: Partial<Paper> = {}): Paper {
  const stated = { value: null, low: null, high: null, up_to: false, words: null };
  const claim = { unit: "x", structural: false, out_of_reach: null };
  return {
    source: "The paper",
    models: [
      { name: "llama2", title: "LLaMA2", kind: "language", note: null },
      { name: "muse", title: "Muse", kind: "transformer", note: null },
    ],
    settings: [{ scale: "tiny", hardware: "CPU", dtype: "float32", runs: 2, pairs: 1 }],
    rows: [
      {
        claim: {
          ...claim,
          id: "speedup",
          ref: "Table II",
          text: "end-to-end speedup",
          values: [
            { ...stated, of: "muse", value: 1.11 },
            { ...stated, of: "llama2", value: 1.52 },
          ],
        },
        outcomes: [
          outcome("muse", { measured: 2.28, ratio: 2.05, verdict: "same direction" }),
          outcome("llama2"),
        ],
        verdict: "same direction",
      },
      {
        claim: {
          ...claim,
          id: "share",
          ref: "Figure 7",
          text: "attention takes a part",
          unit: "%",
          values: [{ ...stated, of: "average", low: 4, high: 11 }],
        },
        outcomes: [outcome("average", { measured: 34.2, verdict: "contradicts", why: "=1+1" })],
        verdict: "contradicts",
      },
    ],
    verdicts: { "same direction": 1, contradicts: 1, "not measurable here": 1 },
    claims: { "same direction": 1, contradicts: 1 },
    sentence: "1 of the paper's 2 claims holds.",
    figures: {
      about: ["speedups", "operators", "quality"].map((id) => ({
        ...{ id, ref: id, title: `About ${id}`, caption: "What is counted." },
        claims: id === "speedups" ? ["speedup"] : [],
      })),
      cited: {
        quality: [
          { model: "Muse", parameters_b: 3, fid: 7.88, kind: "transformer", source: "arXiv:1" },
          { model: "Unknown", parameters_b: null, fid: 9, kind: "diffusion", source: "arXiv:2" },
        ],
        taxonomy: [],
        speedups: { muse: 1.11, llama2: 1.52 },
        phases: {},
        temporal_over_spatial_time: 2,
        spatial_over_temporal_flops: 9,
      },
      measured: [panels()],
    },
    taxonomy: [],
    disagreements: ["It says 9x and 9x fewer."],
    left_out: [{ run: "other", reason: "its annotations name no model of the suite" }],
    warnings: [],
    ...change,
  };
}

function drawn(id: string, measured = panels()): Drawn {
  const build = FIGURES[id];
  if (build === undefined) throw new Error(`There is no figure ${id}.`);
  return build(paper(), measured, "light");
}

test("what the paper states is drawn hatched or hollow, what was measured is not", () => {
  const [bars] = drawn("speedups").panels as [BarsPanel];
  expect(bars.rows.map((row) => [row.name, row.note, row.isCited, row.parts[0]?.value])).toEqual([
    ["LLaMA2", "paper", true, 1.52],
    ["Muse", "here", false, 2.28],
    ["", "paper", true, 1.11],
  ]);
  const [plot] = drawn("quality").panels as [XyPanel];
  expect(plot.looks.every((look) => look.inside === "ring")).toBe(true);
  expect(plot.names).toEqual(["Muse"]);
});

test("measured and stated values have columns of their own in what is saved", () => {
  const { header, rows } = drawn("speedups");
  const at = (name: string) => header.indexOf(name);
  expect(rows.map((row) => [row[at("measured_speedup")], row[at("paper_speedup")]])).toEqual([
    [null, 1.52],
    [2.28, 1.11],
  ]);
  const csv = claimsCsv(paper());
  expect(csv).toContain("Table II,end-to-end speedup,muse,x,1.11×,2.28,");
  expect(csv).toContain("'=1+1");
});

test("claims can be sorted and limited to a verdict, what has no value goes last", () => {
  const of = (verdict: string, sort: string) =>
    shownLines(paper(), verdict, sort).map((line) => line.outcome.of);
  expect(of("", "")).toEqual(["muse", "llama2", "average"]);
  expect(of("", "measured")).toEqual(["muse", "average", "llama2"]);
  expect(of("", "-measured")).toEqual(["average", "muse", "llama2"]);
  expect(of("contradicts", "")).toEqual(["average"]);
});

function spatial(frames: number, flops: number) {
  return { run: "a", frames, basis: "cpu" as const, axis: "spatial", time_ns: 1, flops, calls: 1 };
}

test("fits go on dashed beyond what was recorded", () => {
  const sweep = {
    points: [spatial(4, 100), spatial(8, 200)],
    fits: [{ axis: "spatial", of: "flops" as const, exponent: 1, factor: 25 }],
    crossovers: [{ of: "flops" as const, frames: 32, measured: false }],
    left_out: [],
    sentence: "",
    warnings: [],
  };
  const measured = panels({
    frames: { sizes: [{ image_size: 64, sweep: sweep as never }], needs: [] },
  });
  const [plot] = drawn("frames", measured).panels as [XyPanel];
  expect(plot.title).toBe("64 × 64 pixels: equal at 32.0 frames, predicted");
  expect(plot.lines.map((line) => [line.isDashed, line.x[0], line.y[0]])).toEqual([
    [false, 4, 100],
    [true, 8, 200],
  ]);
  expect(plot.lines[1]?.x[1]).toBeGreaterThan(32);
});

async function shown(runs: PaperRun[], hash = "") {
  window.history.replaceState(null, "", `#genscope&gs.page=paper${hash}`);
  const read: string[] = [];
  const client = {
    isLive: true,
    holds: () => true,
    cancel: vi.fn(async () => {}),
    view: async (route: string, ids: readonly string[]) => {
      if (route === "of-suite") {
        read.push(ids[0] as string);
        return { run: ids[0], reason: null };
      }
      const state = (each: PaperRun) => (read.includes(each.id) ? "used" : each.state);
      return paper({ runs: runs.map((each) => ({ ...each, state: state(each) })) });
    },
  } as unknown as Client;
  const store = createStore(window);
  function Page() {
    const props = { client, store, state: useStoreState(store), runs: [run("a")], selection: [] };
    return <PaperPage {...props} mode="light" onRead={() => {}} onStop={null} />;
  }
  return { root: await draw(<Page />), store, read };
}

function suiteRun(id: string, size_bytes: number, state = "unread"): PaperRun {
  return { id, label: id, size_bytes, state, reason: null };
}

test("a small suite is read run by run, and nothing else", async () => {
  const { root, read } = await shown([
    suiteRun("a", 1e6),
    suiteRun("b", 1e6),
    suiteRun("c", 1e6, "other"),
  ]);
  await until(() => expect(read).toEqual(["a", "b"]));
  await until(() => expect(root.querySelector("h1")?.textContent).toContain("1 of the paper's 2"));
  await until(() => expect(root.querySelector(".reading")).toBeNull());
  expect(root.textContent).not.toContain("not read yet");
});

test("hundreds of megabytes are read on demand only", async () => {
  const { root, read } = await shown([suiteRun("a", 4e8), suiteRun("b", 1e8)]);
  await until(() => expect(root.textContent).toContain("2 runs of the suite, together 500 MB"));
  expect(read).toEqual([]);
  await click(button(root, "Read them"));
  await until(() => expect(read).toEqual(["a", "b"]));
});

test("verdicts, what is missing and what is left out are said", async () => {
  const { root, store } = await shown([]);
  await until(() => expect(root.querySelectorAll(".claims tbody tr").length).toBe(3));
  expect(root.textContent).toContain("Not recorded: a pair of muse. genscope suite run");
  expect(root.textContent).toContain("It says 9x and 9x fewer.");
  expect(root.textContent).toContain("other: its annotations name no model of the suite");
  const cited = [...root.querySelectorAll(".claims .cited")].map((each) => each.textContent);
  expect(cited).toEqual(["1.11×", "1.52×", "4 % to 11 %"]);
  await click(button(root, "contradicts 1"));
  expect(store.read().of.paper_verdict).toBe("contradicts");
  await until(() => expect(root.querySelectorAll(".claims tbody tr").length).toBe(1));
});

test("a report of the paper alone has that page and no choice of runs", async () => {
  window.history.replaceState(null, "", "#genscope&gs.page=paper");
  const client = createEmbedded({
    page: "paper",
    pages: ["paper"],
    runs: { schema_version: 1, runs: [], message: null },
    ...{ operators: {}, overview: {}, compare: {} },
    views: { paper: { "": paper() } },
  });
  const root = await draw(<App client={client} store={createStore(window)} host={window} />);
  await until(() => expect(root.querySelector("h1")?.textContent).toContain("1 of the paper's 2"));
  const rail = [...root.querySelectorAll(".rail button")].map((each) => each.textContent);
  expect(rail).toEqual(["Paper"]);
  expect(root.querySelector(".top")).toBeNull();
});
