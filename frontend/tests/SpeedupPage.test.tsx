import { expect, test, vi } from "vitest";
import type { Client, Selection } from "../src/api/client";
import type { Pairing, Prediction, Speedup } from "../src/api/speedup";
import type { Runs } from "../src/api/types";
import { SpeedupPage } from "../src/pages/speedup";
import { createStore, useStoreState } from "../src/state/location";
import { button, click, draw, until } from "./dom";
import { run } from "./fixtures";
import {
  alignedCall,
  alignedWindow,
  pairing,
  prediction,
  speedup,
  unalignedCall,
} from "./speedup.fixtures";

const RUNS: Runs["runs"] = [run("math"), run("flash"), run("other")];

interface Answers {
  pairs?: Pairing;
  speedup?: Speedup;
  prediction?: Prediction;
  /** Of a report: the client answers for no other pair. */
  embedded?: { aligned: unknown; unaligned: unknown; pair: readonly string[] };
}

/** What was asked for: the route, the runs, and the parameters. */
type Asked = (route: string, ids: readonly string[], selection?: Selection) => void;

async function shown(ids: readonly string[], answers: Answers = {}, hash = "") {
  window.history.replaceState(null, "", `#genscope&gs.page=speedup${hash}`);
  const asked = vi.fn<Asked>();
  const found: Record<string, unknown> = {
    pairs: answers.pairs ?? pairing(),
    speedup: answers.speedup ?? speedup(),
    aligned: alignedWindow([alignedCall(0), alignedCall(1)]),
    prediction: answers.prediction ?? prediction(),
    ...answers.embedded,
  };
  const client = {
    isLive: answers.embedded === undefined,
    holds: (route: string, ids: readonly string[]) =>
      answers.embedded === undefined ||
      route !== "speedup" ||
      ids.join() === answers.embedded.pair.join(),
    view: async (route: string, ids: readonly string[], ask?: { selection?: Selection }) => {
      asked(route, ids, ask?.selection);
      return found[route];
    },
  } as unknown as Client;
  const store = createStore(window);
  const runs = RUNS.filter((each) => ids.includes(each.id));
  function Page() {
    const props = { client, store, state: useStoreState(store), runs, selection: [] };
    return <SpeedupPage {...props} mode="light" onRead={() => {}} onStop={null} />;
  }
  return { root: await draw(<Page />), store, asked };
}

async function textOf(root: Element, selector: string, expected: string | RegExp): Promise<void> {
  await until(() => expect(root.querySelector(selector)?.textContent ?? "").toMatch(expected));
}

test("the proposed pair is compared, with the server's sentence as the headline", async () => {
  const { root, asked } = await shown(["math", "flash", "other"]);
  await textOf(root, "h1", "End to end 1.43x in busy time.");
  expect(asked.mock.calls.map(([route, ids]) => [route, ids])).toContainEqual([
    "speedup",
    ["math", "flash"],
  ]);
  await textOf(root, ".pair-bar", "Proposed as a pair: the baseline computes 100 %");
  await textOf(root, ".figures-tables", /Wall, without profiler20.016.01.25×1.20× to 1.31×/);
  await textOf(root, ".bottleneck", "was Attention (60.0 %) and is now Linear (71.4 %)");
});

test("baseline and fused can be swapped, and the link says so", async () => {
  const { root, store, asked } = await shown(["math", "flash"]);
  await textOf(root, "h1", "End to end");
  await click(root.querySelector("[aria-label='Swap baseline and fused']"));
  await until(() =>
    expect(asked.mock.calls.map(([route, ids]) => [route, ids])).toContainEqual([
      "speedup",
      ["flash", "math"],
    ]),
  );
  expect(store.read().of).toMatchObject({ speedup_base: "flash", speedup_fused: "math" });
});

test("one run alone shows its limit and says how to compare", async () => {
  const { root, asked } = await shown(["other"], { pairs: pairing({ pairs: [] }) });
  await textOf(root, "h1", "if it cost nothing: 2.50x");
  expect(asked.mock.calls.map(([route, ids]) => [route, ids])).toEqual([
    ["pairs", ["other"]],
    ["prediction", ["other"]],
  ]);
  await textOf(root, ".chart-panel .hint", "collect_pair");
});

test("runs that do not pair can be compared by hand", async () => {
  const alone = { math: "its annotations do not say what was run: choose by hand" };
  const { root } = await shown(["math", "flash"], { pairs: { pairs: [], alone } });
  await textOf(root, ".pair-bar", "No pair was found (its annotations do not say");
  await textOf(root, "h1", "if it cost nothing");
  const select = root.querySelector<HTMLSelectElement>("select[aria-label=Fused]");
  if (select) select.value = "flash";
  select?.dispatchEvent(new Event("change", { bubbles: true }));
  await textOf(root, "h1", "End to end");
  await textOf(root, ".pair-bar", "Chosen by hand");
});

test("a run that does not pair is predicted from a pair beside it", async () => {
  const { asked } = await shown(
    ["math", "flash", "other"],
    {},
    "&gs.of.speedup_base=other&gs.of.speedup_fused=none",
  );
  await until(() =>
    expect(asked.mock.calls.map(([route, ids]) => [route, ids])).toContainEqual([
      "prediction",
      ["other", "math", "flash"],
    ]),
  );
});

test("what was measured on another device is predicted from only where that was chosen", async () => {
  const warnings = [{ code: "other_device", count: 1, message: "another device" }];
  const answers = { prediction: prediction({ warnings }) };
  const of = "&gs.of.speedup_base=other&gs.of.speedup_fused=none";
  const { asked } = await shown(["math", "flash", "other"], answers, of);
  const predicted = (calls: typeof asked.mock.calls) =>
    calls.filter(([route]) => route === "prediction").map(([, ids]) => ids);
  await until(() =>
    expect(predicted(asked.mock.calls)).toEqual([["other", "math", "flash"], ["other"]]),
  );
  const chosen = `${of}&gs.of.speedup_from=${encodeURIComponent("math\nflash")}`;
  const { root, asked: again } = await shown(["math", "flash", "other"], answers, chosen);
  await textOf(root, ".notice.warning", "another device");
  expect(predicted(again.mock.calls)).toEqual([["other", "math", "flash"]]);
});

test("an aligned call leads to the page Attention of either run", async () => {
  const { root, store } = await shown(["math", "flash"]);
  await textOf(root, "[role=grid]", "unet");
  await until(() =>
    expect(root.querySelector("[title*='call 11 of the fused run']")).not.toBeNull(),
  );
  await click(root.querySelector("[title*='call 11 of the fused run']"));
  const { page, shown: run, of } = store.read();
  expect([page, run, of.call]).toEqual(["attention", "flash", "11"]);
});

test("calls without a partner are counted with their reasons, and asked for when chosen", async () => {
  const lonely = speedup({
    unaligned_baseline: 3,
    unaligned_reasons: { "the fused run makes fewer calls": 3 },
  });
  const { root, asked } = await shown(["math", "flash"], { speedup: lonely });
  await textOf(root, ".facts", /not aligned: 3 of the baseline.*fewer calls: 3/);
  await click(button(root, "show them"));
  await until(() =>
    expect(asked.mock.calls.map(([, , selection]) => selection)).toContainEqual(
      expect.arrayContaining([["which", "unaligned"]]),
    ),
  );
});

test("runs on different bases say that only wall times are compared", async () => {
  const other = speedup({
    basis: null,
    module: [],
    amdahl: [],
    categories: [],
    groups: [],
    shapes: [],
    bottleneck: null,
  });
  const { root } = await shown(["math", "flash"], { speedup: other });
  await textOf(root, ".notice", "only their wall times");
  expect(root.querySelectorAll(".chart")).toHaveLength(0);
  expect(button(root, "Shapes")).toBeUndefined();
});

test("a file that cannot be used is said, and hides no other run", async () => {
  const broken = { run: "other", file: "other", message: "It is not JSON." };
  const { root } = await shown(["other", "math", "flash"], {
    pairs: pairing({ errors: [broken] }),
  });
  await textOf(root, "[role=alert]", "otherIt is not JSON.");
  await textOf(root, "h1", "End to end 1.43x");
  expect(root.querySelector(".pair-bar")?.textContent).not.toContain("other");
});

test("a report shows the calls that it holds, and offers no pair that it lacks", async () => {
  const call = unalignedCall(4);
  const embedded = {
    pair: ["math", "flash"],
    aligned: { ...alignedWindow([alignedCall(0), alignedCall(1)]), total: 7 },
    unaligned: { ...alignedWindow([]), which: "unaligned", total: 1, calls: [call] },
  };
  const { root } = await shown(["math", "flash", "other"], { embedded });
  await textOf(root, ".tables", "The first 2 of 7 rows");
  await click(root.querySelector(".segmented [title='Calls that one run makes']"));
  await textOf(root, "[role=grid]", call.reason);
  expect(root.querySelector("[aria-label^=Swap]")?.hasAttribute("disabled")).toBe(true);
  const fused = [...root.querySelectorAll<HTMLOptionElement>("[aria-label=Fused] option")];
  expect(fused.map((option) => option.value)).toEqual(["none", "flash"]);
});
