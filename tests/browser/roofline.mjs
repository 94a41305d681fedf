// What a person does with the page Roofline.

import assert from "node:assert/strict";
import { choosing, downloaded, open, records, route, tooWide, until } from "./look.mjs";

const QWEN = "qwen/h100.pt.trace.json.gz";
const TIMESFORMER = "timesformer/h100.pt.trace.json.gz";
const CPU = "cpu/worker0.1700000000000.pt.trace.json";
const OTHER = "NVIDIA A100 SXM4 80GB";

function rooflineOf(address, id, device = "") {
  const as = device && `&device=${encodeURIComponent(device)}`;
  return route(address, `roofline?run=${encodeURIComponent(id)}${as}`);
}

function exact(value) {
  return `${value.toLocaleString("en-US")} ns`;
}

async function headline(frame, text) {
  await until(async () => assert.equal(await frame.locator("h1").innerText(), text));
}

async function showsTheRoofline({ page, address }) {
  const frame = await open(page, address, choosing([QWEN]), "roofline");
  const { ops, sentence, components } = await rooflineOf(address, QWEN);
  await headline(frame, sentence);
  const grid = frame.getByRole("grid", { name: "Roofline" });
  await until(async () =>
    assert.equal(await grid.getAttribute("aria-rowcount"), String(ops.length)),
  );
  const first = grid.locator("[role=row]:not(.head)").first();
  assert.equal(await first.getByRole("gridcell").first().getAttribute("title"), ops[0].name);
  await first.locator(`[title="${exact(ops[0].saving_ns)}"]`).waitFor();

  // The chart gives the same figures, by the keys as well, and marks the row.
  const chart = frame.locator(".plot-box");
  await chart.focus();
  await page.keyboard.press("ArrowRight");
  const [slowest] = ops.filter((op) => op.flops).toSorted((a, b) => b.time_ns - a.time_ns);
  assert.ok((await frame.locator(".tip").innerText()).includes(exact(slowest.time_ns)));
  await page.keyboard.press("Enter");
  const marked = grid.locator("[aria-current=true]");
  await marked.locator(`[title="${exact(slowest.time_ns)}"]`).waitFor();
  assert.match(page.url(), /gs\.of\.roofline_row=\d+/);

  const panel = frame.locator(".chart-panel");
  const csv = await downloaded(page, panel.getByRole("button", { name: "CSV" }));
  assert.deepEqual(
    records(csv.text).map((row) => Number(row.flops)),
    ops.map((op) => op.flops),
  );
  const png = await downloaded(page, panel.getByRole("button", { name: "PNG" }));
  assert.equal(png.bytes.subarray(1, 4).toString(), "PNG");

  await frame.getByRole("button", { name: "Components" }).click();
  await until(async () =>
    assert.equal(await grid.getAttribute("aria-rowcount"), String(components.length)),
  );

  // As if on another device; the link has it.
  await frame.getByLabel("device").selectOption({ label: `as if on ${OTHER}` });
  await headline(frame, (await rooflineOf(address, QWEN, OTHER)).sentence);
  await page.reload();
  const again = await open(page, address, page.url().split("gs.page=roofline")[1], "roofline");
  await headline(again, (await rooflineOf(address, QWEN, OTHER)).sentence);

  // Without rates there are marks, and a way on.
  const bare = await open(page, address, choosing([CPU, TIMESFORMER]), "roofline");
  await bare.locator(".no-rates").getByText("The rates of a CPU").waitFor();
  assert.equal(await bare.locator(".legend[aria-label=Shapes] li").count(), 2);
  for (const width of [1280, 2560]) {
    await page.setViewportSize({ width, height: 1000 });
    await until(async () => {
      const wide = (await tooWide(bare)).filter((each) => !/^table flat/.test(each));
      assert.deepEqual(wide, []);
    });
  }

  // The operators have the same work in their table.
  const operators = await open(page, address, choosing([QWEN]), "operators");
  const { rows } = await route(address, `work?run=${encodeURIComponent(QWEN)}`);
  const linear = rows.find((row) => row.path.join() === "Linear");
  await operators
    .getByRole("treegrid")
    .locator(`[title="${linear.flops.toLocaleString("en-US")}"]`)
    .waitFor();
}

export const ROOFLINE = { "shows the roofline": { run: showsTheRoofline } };
