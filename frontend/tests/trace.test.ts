import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Client, createClient } from "../src/api/client";
import { bytesAt } from "../src/pages/trace/bytes";
import { spanOf, spanOfCall, spanOfIndex, withSpan } from "../src/pages/trace/link";
import {
  addressOf,
  answering,
  isTrusted,
  postSpan,
  postTrace,
  SILENT_MS,
  UI,
} from "../src/pages/trace/protocol";

/** Epoch nanoseconds, more than a number of JavaScript tells apart. */
const EPOCH = "1752839461731456483";

/** A window that notes what is posted to it. */
function uiWindow() {
  return { postMessage: vi.fn() } as unknown as Window & { postMessage: ReturnType<typeof vi.fn> };
}

function say(source: Window, data: unknown, origin = UI): void {
  const event = new MessageEvent("message", { data, origin });
  Object.defineProperty(event, "source", { value: source });
  window.dispatchEvent(event);
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function asked(target: () => Window | null) {
  const abort = new AbortController();
  const onSilent = vi.fn();
  const found = vi.fn();
  const ended = answering({ host: window, target, signal: abort.signal, onSilent }).then(found);
  return { abort, onSilent, found, ended: ended.catch(() => {}) };
}

test("the UI is asked until it answers, and then no more", async () => {
  const ui = uiWindow();
  const { found, ended } = asked(() => ui);
  vi.advanceTimersByTime(1000);
  expect(ui.postMessage.mock.calls.length).toBeGreaterThan(3);
  expect(ui.postMessage.mock.calls.every(([data, to]) => data === "PING" && to === UI)).toBe(true);
  say(ui, "PONG");
  await ended;
  expect(found).toHaveBeenCalledWith(ui);
  const before = ui.postMessage.mock.calls.length;
  vi.advanceTimersByTime(5000);
  expect(ui.postMessage.mock.calls.length).toBe(before);
});

test.each([
  ["another origin", (ui: Window) => say(ui, "PONG", "https://ui.perfetto.dev.example.org")],
  ["another window", () => say(uiWindow(), "PONG")],
  ["another message", (ui: Window) => say(ui, "PING")],
])("%s is not listened to", async (_, speak) => {
  const ui = uiWindow();
  const { found } = asked(() => ui);
  speak(ui);
  await vi.advanceTimersByTimeAsync(100);
  expect(found).not.toHaveBeenCalled();
});

test("a UI that is silent is told of, and asked on", async () => {
  const ui = uiWindow();
  const { found, onSilent, ended } = asked(() => ui);
  vi.advanceTimersByTime(SILENT_MS - 1);
  expect(onSilent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onSilent).toHaveBeenCalledOnce();
  say(ui, "PONG");
  await ended;
  expect(found).toHaveBeenCalledWith(ui);
});

test("nobody is asked before there is a window, nor after all is called off", async () => {
  let target: Window | null = null;
  const { abort, ended } = asked(() => target);
  vi.advanceTimersByTime(1000);
  const ui = uiWindow();
  target = ui;
  vi.advanceTimersByTime(250);
  expect(ui.postMessage).toHaveBeenCalled();
  abort.abort();
  await ended;
  ui.postMessage.mockClear();
  vi.advanceTimersByTime(1000);
  expect(ui.postMessage).not.toHaveBeenCalled();
});

test("the trace goes to the origin of the UI alone, handed over and not copied", () => {
  const ui = uiWindow();
  const buffer = new ArrayBuffer(8);
  postTrace(ui, { buffer, title: "math", fileName: "math.pftrace" });
  const [message, to, given] = ui.postMessage.mock.calls[0] ?? [];
  expect(message).toEqual({
    perfetto: { buffer, title: "math", fileName: "math.pftrace", keepApiOpen: true },
  });
  expect([to, given]).toEqual([UI, [buffer]]);
});

test("a stretch is told in seconds of the file that the UI has", () => {
  const ui = uiWindow();
  postSpan(ui, "600000", [1_000_000, 3_000_000]);
  const [message, to] = ui.postMessage.mock.calls[0] ?? [];
  expect(message).toEqual({
    perfetto: { timeStart: 0.0016, timeEnd: 0.0036, viewPercentage: 0.5 },
  });
  expect(to).toBe(UI);
});

test("the address has the stretch to the nanosecond, where no server sees it", () => {
  const address = new URL(addressOf(EPOCH, [1, 1001]));
  expect([address.origin, address.pathname, address.search]).toEqual([UI, "/", ""]);
  expect(address.hash).toBe("#!/?visStart=1752839461731456484&visEnd=1752839461731457484");
  expect(addressOf(EPOCH, null)).toBe(`${UI}/`);
  expect(addressOf(null, [1, 2])).toBe(`${UI}/`);
});

test("only this machine is trusted without a question", () => {
  expect(["localhost", "127.0.0.1", "board.example.org", "[::1]"].map(isTrusted)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("a stretch survives the link, and nonsense is none", () => {
  expect(spanOf(withSpan({}, [12.4, 99.6]))).toEqual([12, 100]);
  expect(spanOf(withSpan({ trace_span: "1-2" }, null))).toBeNull();
  for (const text of ["2-1", "1", "a-b", "1-1", "-1-5", ""]) {
    expect(spanOf({ trace_span: text })).toBeNull();
  }
});

test("a call is where the device ran it, or the CPU where there is no device", () => {
  const call = { start_ns: 1000, device_start_ns: 5000, device_ns: 4000, cpu_ns: 2500 };
  expect(spanOfCall(call)).toEqual([5000, 9000]);
  expect(spanOfCall({ ...call, device_start_ns: null, device_ns: null })).toEqual([1000, 3500]);
  expect(spanOfCall({ ...call, device_ns: 10 })).toEqual([5000, 6000]);
});

test("a call of another run is looked up by its number", async () => {
  const call = { index: 7, start_ns: 1000, device_start_ns: null, device_ns: null, cpu_ns: 2500 };
  const view = vi.fn(async () => ({ calls: [{ ...call, index: 6 }, call] }));
  const client = { view } as unknown as Client;
  expect(await spanOfIndex(client, "fused", 7)).toEqual([1000, 3500]);
  expect(view.mock.calls[0]?.slice(0, 2)).toEqual(["calls", ["fused"]]);
  expect(await spanOfIndex(client, "fused", 8)).toBeNull();
});

const ADDRESS = new URL("http://localhost/data/plugin/genscope/trace?run=a");

function answers(...responses: Response[]): void {
  vi.useRealTimers();
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => responses.shift()),
  );
}

function file(text: string, length: number): Response {
  return new Response(text, { headers: { "Content-Length": `${length}` } });
}

test("the bytes are below the folder that the page came from, whatever a run is called", () => {
  const client = createClient(new URL("http://h/team/data/plugin/genscope/index.js"));
  const address = client.address("trace", "a b/c&d=#1.json", [["form", "annotated"]]);
  expect(address?.pathname).toBe("/team/data/plugin/genscope/trace");
  expect([...(address?.searchParams ?? [])]).toEqual([
    ["run", "a b/c&d=#1.json"],
    ["form", "annotated"],
  ]);
  expect(address?.hash).toBe("");
});

test("bytes are waited for and come whole", async () => {
  answers(new Response("{}", { status: 202 }), file("trace", 5));
  const told: number[] = [];
  const signal = new AbortController().signal;
  const buffer = await bytesAt(ADDRESS, (received) => told.push(received), signal);
  expect(new TextDecoder().decode(buffer)).toBe("trace");
  expect(told.at(-1)).toBe(5);
});

test("a trace that ends early is no trace", async () => {
  answers(file("tra", 5));
  await expect(bytesAt(ADDRESS, () => {}, new AbortController().signal)).rejects.toThrow("early");
});

test("what the server refuses is said in its words", async () => {
  const body = JSON.stringify({ error: { message: "w0.json: is empty" } });
  answers(new Response(body, { status: 422 }));
  await expect(bytesAt(ADDRESS, () => {}, new AbortController().signal)).rejects.toThrow(
    "w0.json: is empty",
  );
});
