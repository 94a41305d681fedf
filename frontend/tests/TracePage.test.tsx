import { expect, test } from "vitest";
import { type Client, UnusableError } from "../src/api/client";
import type { Forms } from "../src/api/trace";
import { TracePage } from "../src/pages/trace";
import { createStore, useStoreState } from "../src/state/location";
import { button, click, draw, until } from "./dom";
import { run } from "./fixtures";

const FORMS: Forms = {
  schema_version: 1,
  view: "trace-forms",
  original: { file: "w0.pt.trace.json.gz", size_bytes: 2_000_000, starts_ns: "5000" },
  annotated: { file: "w0.pftrace", size_bytes: 3_000_000, starts_ns: "0" },
  reason: null,
};

async function shown(view: () => Promise<unknown>, { isLive = true, hash = "" } = {}) {
  window.history.replaceState(null, "", `#genscope&gs.page=trace${hash}`);
  const client = {
    isLive,
    view,
    address: (route: string) => new URL(`http://localhost/${route}`),
  } as unknown as Client;
  const store = createStore(window);
  function Page() {
    const props = { client, store, state: useStoreState(store), runs: [run("math")] };
    return <TracePage {...props} selection={[]} mode="light" onRead={() => {}} onStop={null} />;
  }
  const root = await draw(<Page />);
  return { root, store, main: () => button(root, "Open in Perfetto") };
}

function given(change: Partial<Forms>) {
  return async () => ({ ...FORMS, ...change });
}

test("there is no frame before the button is pressed", async () => {
  const { root, main } = await shown(given({}));
  await until(() => expect(main()?.disabled).toBe(false));
  expect(root.querySelector("iframe")).toBeNull();
  expect(root.textContent).toContain("ui.perfetto.dev");
  expect(root.querySelector("a[download]")?.getAttribute("download")).toBe("w0.pftrace");
});

test("while the annotated form is made the original can be had", async () => {
  const { root, main, store } = await shown(() => new Promise(() => {}));
  expect(main()?.disabled).toBe(true);
  await click(button(root, "Original"));
  expect(main()?.disabled).toBe(false);
  expect(store.read().of.trace_form).toBe("original");
});

test("a native trace opens as it is, and it says why", async () => {
  const reason = "This is a native trace already.";
  const { root, main } = await shown(given({ annotated: null, reason }));
  await until(() => expect(root.textContent).toContain(reason));
  expect(main()?.disabled).toBe(false);
  expect(button(root, "Annotated")?.disabled).toBe(true);
  expect(button(root, "Original")?.getAttribute("aria-pressed")).toBe("true");
});

test("where the annotated form cannot be kept, the reason and the original remain", async () => {
  const message = "the annotated form cannot be kept: No space left on device";
  const { root, main } = await shown(async () => {
    throw new UnusableError([{ run: "math", file: "math", message }]);
  });
  await until(() => expect(root.querySelector("[role=alert]")?.textContent).toContain(message));
  expect(main()?.disabled).toBe(false);
});

test("what is too large for the UI is not handed over", async () => {
  const annotated = { file: "w0.pftrace", size_bytes: 2.4e9, starts_ns: "0" };
  const { root, main } = await shown(given({ annotated }));
  await until(() => expect(root.textContent).toContain("2.40 GB is more than the UI can read"));
  expect(main()?.disabled).toBe(true);
  expect(root.textContent).toContain("trace_processor_shell --httpd");
});

test("a large trace is said to be large", async () => {
  const annotated = { file: "w0.pftrace", size_bytes: 0.8e9, starts_ns: "0" };
  const { root, main } = await shown(given({ annotated }));
  await until(() => expect(root.textContent).toContain("800 MB goes into the memory"));
  expect(main()?.disabled).toBe(false);
});

test("a selection is named, and dropped on request", async () => {
  const { root, store } = await shown(given({}), { hash: "&gs.of.trace_span=1000000-3000000" });
  await until(() => expect(root.textContent).toContain("1.00 ms to 3.00 ms"));
  await click(button(root, "Show the whole trace"));
  expect(store.read().of.trace_span ?? "").toBe("");
});

test("where a form does not tell its clock, it opens as a whole", async () => {
  const original = { ...FORMS.original, starts_ns: null };
  const { root } = await shown(given({ original, annotated: null }), {
    hash: "&gs.of.trace_span=1000000-3000000",
  });
  await until(() => expect(root.textContent).toContain("It opens as a whole"));
});

test("a report has no trace to hand over", async () => {
  const { root, main } = await shown(given({}), { isLive: false });
  expect(root.textContent).toContain("genscope open");
  expect(main()).toBeUndefined();
});
