import { describe, expect, test, vi } from "vitest";
import { createClient, type Progress, ServerError, UnusableError } from "../src/api/client";
import { comparison, operators } from "./fixtures";

const BASE = new URL("http://host/some/prefix/data/plugin/genscope/");

interface Served {
  status: number;
  body: unknown;
}

/** A client whose routes give `answers` in turn, and what was asked of them. */
function served(...answers: Served[]) {
  const asked: string[] = [];
  const slept: number[] = [];
  const client = createClient(BASE, {
    fetch: async (input) => {
      asked.push(String(input));
      const answer = answers.shift();
      if (answer === undefined) throw new TypeError("refused");
      const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
      return new Response(text, { status: answer.status });
    },
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
    },
  });
  return { client, asked, slept };
}

test("routes lie below the folder of the page, whatever the prefix, with ids escaped", async () => {
  const { client, asked } = served({ status: 200, body: comparison() });
  await client.compare(["a b/1&2.json", "c.json"]);
  expect(asked).toEqual([
    "http://host/some/prefix/data/plugin/genscope/compare?run=a%20b%2F1%262.json&run=c.json",
  ]);
});

test("filters go along with what is asked", async () => {
  const { client, asked } = served({ status: 200, body: operators() });
  await client.operators("a.json", {
    selection: [
      ["component", "unet & co"],
      ["component", "vae"],
      ["first_step", "2"],
    ],
  });
  expect(asked).toEqual([
    `${BASE}operators?run=a.json&component=unet%20%26%20co&component=vae&first_step=2`,
  ]);
});

test("reading is stopped by name, and a refusal is told", async () => {
  const { client, asked } = served(
    { status: 200, body: { state: "unread" } },
    { status: 404, body: { error: { message: "There is no such run" } } },
  );
  await client.cancel("a b.json");
  expect(asked).toEqual([`${BASE}cancel?run=a%20b.json`]);
  await expect(client.cancel("gone")).rejects.toThrow("no such run");
});

test("a file being read is asked for again, with progress, until it is there", async () => {
  const reading = { state: "reading", read_bytes: 5, size_bytes: 10 };
  const { client, asked, slept } = served(
    { status: 202, body: { ...reading, state: "queued", read_bytes: 0 } },
    { status: 202, body: reading },
    { status: 200, body: operators() },
  );
  const progress: Progress[] = [];
  const answer = await client.operators("a.json", {
    onProgress: (now) => progress.push(now),
  });
  expect(answer.categories[0]?.category).toBe("Attention");
  expect(asked).toHaveLength(3);
  expect(slept).toEqual([30, 60]);
  expect(progress.at(-1)).toEqual({ "a.json": reading });
});

test("asking stops when nobody waits any more", async () => {
  const abort = new AbortController();
  const pending = { status: 202, body: { state: "reading", runs: {} } };
  const { client, asked } = served(pending, pending, pending);
  await expect(
    client.compare(["a"], {
      onProgress: () => abort.abort(new Error("left")),
      signal: abort.signal,
    }),
  ).rejects.toThrow("left");
  expect(asked).toHaveLength(1);
});

describe("files that cannot be used", () => {
  test("one: the error names the file and the reason", async () => {
    const { client } = served({
      status: 422,
      body: { error: { file: "a.json", message: "a.json is not a trace" } },
    });
    const error = await client.operators("a.json").catch((reason) => reason);
    expect(error).toBeInstanceOf(UnusableError);
    expect(error.errors).toEqual([
      { run: "a.json", file: "a.json", message: "a.json is not a trace" },
    ]);
  });

  test("some of several: the others are compared", async () => {
    const errors = [{ run: "b", file: "b.json", message: "no trace" }];
    const { client } = served({ status: 422, body: { errors, comparison: comparison() } });
    const answer = await client.compare(["a", "b"]);
    expect(answer.errors).toEqual(errors);
    expect(answer.comparison?.runs).toHaveLength(2);
  });
});

describe("a view of several runs", () => {
  test("waits for all of them and says how far each is", async () => {
    const runs = { a: { state: "reading", read_bytes: 1, size_bytes: 2 } };
    const { client } = served(
      { status: 202, body: { state: "reading", runs } },
      { status: 200, body: { view: "speedup" } },
    );
    const onProgress = vi.fn();
    expect(await client.view("speedup", ["a", "b"], { onProgress })).toEqual({ view: "speedup" });
    expect(onProgress.mock.calls).toEqual([[runs]]);
  });

  test("names the files that cannot be used", async () => {
    const errors = [{ run: "b", file: "b.json", message: "no trace" }];
    const { client } = served({ status: 422, body: { errors } });
    const answer = client.view("speedup", ["a", "b"]);
    await expect(answer).rejects.toBeInstanceOf(UnusableError);
    await expect(answer).rejects.toMatchObject({ errors });
  });
});

describe("a server that cannot be understood", () => {
  test.each([
    ["is gone", [], /does not answer/],
    ["answers without JSON", [{ status: 502, body: "<html>" }], /502/],
    ["answers null", [{ status: 200, body: null }], /without an object/],
    [
      "knows no such run",
      [{ status: 404, body: { error: { file: "a", message: "There is no such run" } } }],
      /no such run/,
    ],
    ["is newer", [{ status: 200, body: { schema_version: 2 } }], /Reload the page/],
  ] as [string, Served[], RegExp][])("%s", async (_, answers, message) => {
    const error = await served(...answers)
      .client.runs()
      .catch((reason) => reason);
    expect(error).toBeInstanceOf(ServerError);
    expect(error.message).toMatch(message);
  });
});
