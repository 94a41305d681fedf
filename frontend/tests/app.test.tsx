import { expect, test, vi } from "vitest";
import { type Client, type ComparisonAnswer, ServerError } from "../src/api/client";
import type { Runs } from "../src/api/types";
import { App } from "../src/app";
import { createStore } from "../src/state/location";
import { draw, until } from "./dom";
import { comparison, operators, run } from "./fixtures";

// A canvas is the browser's; what is drawn on it has tests of its own.
vi.mock("../src/components/echarts", () => ({
  init: () => ({ on: vi.fn(), setOption: vi.fn(), resize: vi.fn(), dispose: vi.fn() }),
  picture: vi.fn(),
}));

const RUNS: Runs = {
  schema_version: 1,
  runs: [run("math"), run("fused"), run("other")],
  message: null,
};

function clientWith(change: Partial<Client>): Client {
  return {
    runs: async () => RUNS,
    operators: async () => operators(),
    compare: async () => ({ comparison: comparison(), errors: [] }),
    ...change,
  };
}

async function shown(client: Client, hash = "#genscope&gs.runs=math%2Cfused") {
  window.history.replaceState(null, "", hash);
  const store = createStore(window);
  const root = await draw(<App client={client} store={store} host={window} />);
  return { root, store };
}

/** The text of what `selector` finds, once it is there and matches. */
async function textOf(root: Element, selector: string, expected: string | RegExp): Promise<void> {
  await until(() => expect(root.querySelector(selector)?.textContent ?? "").toMatch(expected));
}

test("without a choice only the first run is read", async () => {
  const compare = vi.fn(clientWith({}).compare);
  const { root } = await shown(clientWith({ compare }), "#genscope");
  await textOf(root, "h1", "Attention");
  expect(compare.mock.calls.map(([ids]) => ids)).toEqual([["math"]]);
});

test("the page says the headline, the figures and where they come from", async () => {
  const { root } = await shown(clientWith({}));
  await textOf(root, "h1", /^Attention takes 60.0 % of device time/);
  await textOf(root, ".facts", "3.00 ms");
  await textOf(root, "[role=treegrid]", "Attention");
  const cells = [...root.querySelectorAll(".compare tbody tr:first-child td")];
  expect(cells.map((cell) => cell.textContent)).toEqual(["6.00", "60.0", "2.00", "33.3", "3.00×"]);
});

test("while another choice is read, bytes are shown and the page before stays", async () => {
  let calls = 0;
  const compare: Client["compare"] = async (ids, onProgress) => {
    calls += 1;
    if (calls === 1) return { comparison: comparison(), errors: [] };
    onProgress?.({
      [ids[0] ?? ""]: { state: "reading", read_bytes: 12_300_000, size_bytes: 35_100_000 },
    });
    return new Promise<ComparisonAnswer>(() => {});
  };
  const { root, store } = await shown(clientWith({ compare }));
  await textOf(root, "h1", /^Attention/);
  store.write({ runs: ["other"] }, "push");
  await textOf(root, ".reading", "other: 12.3 MB of 35.1 MB");
  await textOf(root, "h1", /^Attention/);
});

test("a file that cannot be used is named with its reason, and the others are shown", async () => {
  const answer = comparison();
  answer.runs.length = 1;
  const { root } = await shown(
    clientWith({
      compare: async () => ({
        comparison: answer,
        errors: [{ run: "fused", file: "fused.json", message: "fused.json holds no events" }],
      }),
    }),
  );
  await textOf(root, "[role=alert]", "fused.json holds no events");
  expect(root.querySelector("h1")).not.toBeNull();
});

test("a link to a run that is gone says so and shows the others", async () => {
  const compare = vi.fn(clientWith({}).compare);
  const { root } = await shown(clientWith({ compare }), "#genscope&gs.runs=gone%2Cmath");
  await textOf(root, "[role=alert]", "gone");
  await textOf(root, "h1", /^Attention/);
  expect(compare.mock.calls[0]?.[0]).toEqual(["math"]);
});

test("a link may name the folder of a run, if it is the only one there", async () => {
  const compare = vi.fn(clientWith({}).compare);
  const runs = [
    run("sd/math/w0.json", { run: "sd/math" }),
    run("two/w0.json", { run: "two" }),
    run("two/w1.json", { run: "two" }),
  ];
  const { root } = await shown(
    clientWith({ compare, runs: async () => ({ ...RUNS, runs }) }),
    "#genscope&gs.runs=sd/math,two",
  );
  await textOf(root, "[role=alert]", "two");
  expect(compare.mock.calls[0]?.[0]).toEqual(["sd/math/w0.json"]);
});

test("a server that is gone is reported with a way to try again", async () => {
  let isUp = false;
  const { root } = await shown(
    clientWith({
      runs: async () => {
        if (!isUp) throw new ServerError("TensorBoard does not answer.");
        return RUNS;
      },
    }),
  );
  await textOf(root, "[role=alert]", "does not answer");
  isUp = true;
  root.querySelector<HTMLButtonElement>("[role=alert] button")?.click();
  await until(() => expect(root.querySelector("[role=alert]")).toBeNull());
});

test("an empty logdir says what would fill it", async () => {
  const { root } = await shown(
    clientWith({ runs: async () => ({ ...RUNS, runs: [], message: "Nothing in /logs." }) }),
  );
  await textOf(root, ".empty", "Nothing in /logs.");
  await textOf(root, "pre", "tensorboard_trace_handler");
});

test("warnings of a trace are shown in its words", async () => {
  const warned = comparison();
  warned.runs[0]?.warnings.push({ code: "truncated", count: 1, message: "The file ends early." });
  const { root } = await shown(
    clientWith({ compare: async () => ({ comparison: warned, errors: [] }) }),
  );
  await textOf(root, ".warning", "The file ends early.");
});

test("a table without rows says which recording option fills it", async () => {
  const { root } = await shown(clientWith({}), "#genscope&gs.runs=math&gs.table=modules");
  await textOf(root, ".tables", "with_stack=True");
});
