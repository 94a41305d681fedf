import { expect, test, vi } from "vitest";
import { type Ask, type Client, type ComparisonAnswer, ServerError } from "../src/api/client";
import type { Runs } from "../src/api/types";
import { App } from "../src/app";
import { createStore } from "../src/state/location";
import { button, click, draw, press, until } from "./dom";
import { comparison, gap, moduleRow, operators, overview, run, step, timeline } from "./fixtures";

const RUNS: Runs = {
  schema_version: 1,
  runs: [run("math"), run("fused"), run("other")],
  message: null,
};

function clientWith(change: Partial<Client>): Client {
  return {
    isLive: true,
    holds: () => true,
    runs: async () => RUNS,
    address: () => null,
    cancel: async () => {},
    overview: async () => overview(),
    operators: async () => operators(),
    timeline: async () => timeline(),
    compare: async () => ({ comparison: comparison(), errors: [] }),
    view: async (route) => {
      throw new Error(`nothing is known of ${route}`);
    },
    ...change,
  };
}

async function shown(client: Client, hash = "#genscope&gs.page=operators&gs.runs=math%2Cfused") {
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
  const { root } = await shown(clientWith({ compare }), "#genscope&gs.page=operators");
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
  const compare: Client["compare"] = async (ids, ask) => {
    calls += 1;
    if (calls === 1) return { comparison: comparison(), errors: [] };
    ask?.onProgress?.({
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
  const { root } = await shown(
    clientWith({ compare }),
    "#genscope&gs.page=operators&gs.runs=gone%2Cmath",
  );
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
    "#genscope&gs.page=operators&gs.runs=sd/math,two",
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
  const { root } = await shown(
    clientWith({}),
    "#genscope&gs.page=operators&gs.runs=math&gs.table=modules",
  );
  await textOf(root, ".tables", "with_stack=True");
});

test("the overview is the first page, and says what limits the base", async () => {
  const { root } = await shown(clientWith({}), "#genscope&gs.runs=math");
  await textOf(root, "h1", /^The device is idle 40 % of the time/);
  await textOf(root, ".runs-table", "600");
  await textOf(root, ".causes", "The CPU had not launched the next kernel yet");
  const name = root.querySelector<HTMLElement>(".table [data-whole]")?.dataset.whole;
  expect(name).toBe("1. (start of the recording) → flash_fwd_kernel");
});

test("a run on the CPU has no idle time, and says what to record", async () => {
  const onCpu = overview({ basis: "cpu_self", devices: [], gaps: [], waiting: [] });
  const { root } = await shown(clientWith({ overview: async () => onCpu }), "#genscope");
  await textOf(root, ".waits", "ProfilerActivity.CUDA");
  await textOf(root, "figcaption", "self time of CPU operators");
  expect(root.querySelector(".runs-table tbody")?.textContent).toContain("CPU only");
});

test("names in gaps are text", async () => {
  const hostile = "<img src=x onerror=hurt=1>";
  const gaps = [gap({ before: hostile, after: hostile, reason: hostile })];
  const { root } = await shown(
    clientWith({ overview: async () => overview({ gaps }) }),
    "#genscope",
  );
  await textOf(root, ".table", "<img src=x");
  expect(root.querySelector("img")).toBeNull();
});

test("one file that cannot be used does not hide the overview of the others", async () => {
  const { UnusableError } = await import("../src/api/client");
  const { root } = await shown(
    clientWith({
      overview: async (id) => {
        if (id === "fused") {
          throw new UnusableError([{ run: id, file: id, message: "fused holds no events" }]);
        }
        return overview();
      },
    }),
    "#genscope&gs.runs=fused%2Cmath",
  );
  await textOf(root, "[role=alert]", "fused holds no events");
  await textOf(root, "h1", "The device is idle");
});

test("a filter holds on every page, is in the link, and can be removed", async () => {
  const asked: Ask[] = [];
  const parts = operators({ components: [moduleRow("unet"), moduleRow("vae")] });
  const { root, store } = await shown(
    clientWith({
      runs: async () => ({ ...RUNS, runs: [run("math", { state: "ready" })] }),
      operators: async () => parts,
      overview: async (_, ask) => {
        asked.push(ask ?? {});
        return overview();
      },
      compare: async (_, ask) => {
        asked.push(ask ?? {});
        return { comparison: comparison(), errors: [] };
      },
    }),
    "#genscope",
  );
  await until(() => expect(button(root, "Component")).toBeDefined());
  expect(button(root, "Pass"), "one pass is no choice").toBeUndefined();
  await click(button(root, "Component"));
  await click(root.querySelectorAll(".filters [type=checkbox]")[1]);
  await until(() => expect(asked.at(-1)?.selection).toEqual([["component", "vae"]]));
  expect(window.location.hash).toContain("gs.where.component=vae");
  await click(button(root, "Operators"));
  await textOf(root, "h1", /^Attention/);
  expect(asked.at(-1)?.selection).toEqual([["component", "vae"]]);
  await click(root.querySelector("[aria-label='Remove the filter Component']"));
  await until(() => expect(asked.at(-1)?.selection).toEqual([]));
  expect(store.read().filters).toEqual({});
});

test("steps are chosen as a range, and moving one end takes the other along", async () => {
  const steps = [step(0), step(1), step(2)];
  const { root, store } = await shown(
    clientWith({
      runs: async () => ({ ...RUNS, runs: [run("math", { state: "ready" })] }),
      overview: async () => overview({ steps }),
    }),
    "#genscope",
  );
  await until(() => expect(button(root, "Steps")).toBeDefined());
  await click(button(root, "Steps"));
  const last = root.querySelector<HTMLSelectElement>("[aria-label='Last of Steps']");
  if (last) last.value = "1";
  last?.dispatchEvent(new Event("change", { bubbles: true }));
  await until(() => expect(store.read().filters).toEqual({ steps: ["0", "1"] }));
  const first = root.querySelector<HTMLSelectElement>("[aria-label='First of Steps']");
  if (first) first.value = "2";
  first?.dispatchEvent(new Event("change", { bubbles: true }));
  await until(() => expect(store.read().filters).toEqual({ steps: ["2", "2"] }));
});

test("reading can be stopped: nobody asks any more, and the others are shown", async () => {
  const cancel = vi.fn(clientWith({}).cancel);
  let waiting: AbortSignal | undefined;
  const { root } = await shown(
    clientWith({
      cancel,
      overview: async (id, ask) => {
        if (id === "math") return overview();
        waiting = ask?.signal;
        ask?.onProgress?.({ [id]: { state: "reading", read_bytes: 5, size_bytes: 10 } });
        return new Promise(() => {});
      },
    }),
    "#genscope&gs.runs=math%2Cfused",
  );
  await until(() => expect(button(root, "Stop")).toBeDefined());
  await click(button(root, "Stop"));
  await textOf(root, ".stopped", "Reading fused was stopped.");
  await textOf(root, "h1", "The device is idle");
  expect(cancel).toHaveBeenCalledWith("fused");
  expect(waiting?.aborted).toBe(true);
  await click(button(root, "Read it"));
  await textOf(root, ".reading", "fused");
});

test("a run is set beside the base, down to what only one of them has", async () => {
  const { root } = await shown(
    clientWith({}),
    "#genscope&gs.page=operators&gs.runs=math%2Cfused&gs.table=differences",
  );
  await textOf(root, ".tables [role=treegrid]", "3.00×");
  await textOf(root, ".tables [role=treegrid]", "−4.00");
});

test("zooming in asks for finer bins of all runs once it rests, and is kept in the link", async () => {
  const asked: [string, readonly [number, number]][] = [];
  const { root, store } = await shown(
    clientWith({
      timeline: async (id, ends) => {
        asked.push([id, ends]);
        return timeline();
      },
    }),
    "#genscope&gs.runs=math%2Cfused",
  );
  await textOf(root, "h1", "The device is idle");
  const zoomIn = root.querySelector("[aria-label='Zoom in']");
  await click(zoomIn);
  await click(zoomIn);
  await until(() => expect(window.location.hash).toContain("gs.range=375000-625000"));
  expect(store.read().range).toEqual([375_000, 625_000]);
  await textOf(root, ".zoom", "375 µs to 625 µs");
  expect(asked).toEqual([
    ["math", [250_000, 750_000]],
    ["fused", [250_000, 750_000]],
  ]);
  await press(root.querySelector(".strip-box"), "Escape");
  await until(() => expect(store.read().range).toBeNull());
  expect(asked).toHaveLength(2);
});

test("what was asked of a stretch is given up when another is shown", async () => {
  const signals: AbortSignal[] = [];
  const { root } = await shown(
    clientWith({
      timeline: async (_, __, ask) => {
        if (ask?.signal) signals.push(ask.signal);
        return new Promise(() => {});
      },
    }),
    "#genscope&gs.runs=math&gs.range=100000-200000",
  );
  await until(() => expect(signals).toHaveLength(1));
  await press(root.querySelector(".strip-box"), "+");
  await press(root.querySelector(".strip-box"), "+");
  await until(() => expect(signals).toHaveLength(2));
  expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
});

test("a part of a bar is reached by keys, and opened", async () => {
  const { root, store } = await shown(clientWith({}));
  await textOf(root, "h1", /^Attention/);
  const bars = root.querySelector(".bars");
  await press(bars, "ArrowRight");
  await textOf(root, ".tip", /Attention.*math.*6.00 ms/);
  await press(bars, "ArrowDown");
  await textOf(root, ".tip", /Attention.*fused.*3.00× as fast/);
  await press(bars, "Enter");
  expect(store.read()).toMatchObject({ shown: "fused", open: ["Attention"] });
  await press(bars, "Escape");
  expect(root.querySelector(".tip")).toBeNull();
});
