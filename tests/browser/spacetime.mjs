// What a person does with the page Space and time.

import assert from "node:assert/strict";
import { choosing, downloaded, open, records, route, tooWide, until } from "./look.mjs";

const QWEN = "qwen/h100.pt.trace.json.gz";
const TIMESFORMER = "timesformer/h100.pt.trace.json.gz";

/** As `videos.py` writes them. */
const VIDEOS = ["frames04", "frames08", "frames16"].map((run) => `${run}/cpu.pt.trace.json`);

function spaceTimeOf(address, id) {
  return route(address, `spatial-temporal?run=${encodeURIComponent(id)}`);
}

async function headline(frame, text) {
  await until(async () => assert.equal(await frame.locator("h1").innerText(), text));
}

function exact(value) {
  return `${value.toLocaleString("en-US")} ns`;
}

async function showsSpaceAndTime({ page, address }) {
  const frame = await open(page, address, choosing([TIMESFORMER]), "spacetime");
  const { axes, layers, sentence } = await spaceTimeOf(address, TIMESFORMER);
  await headline(frame, sentence);
  const table = frame.locator(".axes-table tbody tr");
  assert.equal(await table.count(), 2);
  for (const axis of ["spatial", "temporal"]) {
    const row = axes.find((each) => each.axis === axis);
    const shown = table.filter({ hasText: axis });
    await shown.locator(`[title="${exact(row.time_ns)}"]`).waitFor();
    await shown.locator(`[title="${row.flops.toLocaleString("en-US")} FLOP"]`).waitFor();
    assert.match(await shown.innerText(), new RegExp(row.in_batch));
  }

  // The chart gives the same figures, by the keys as well.
  await frame.locator(".paired").focus();
  await page.keyboard.press("ArrowDown");
  const first = axes.find((each) => each.axis === "spatial");
  assert.ok((await frame.locator(".tip").innerText()).includes(exact(first.time_ns)));
  await page.keyboard.press("Escape");

  const grid = frame.getByRole("grid", { name: "Layers" });
  await until(async () =>
    assert.equal(await grid.getAttribute("aria-rowcount"), String(layers.length)),
  );
  await grid.getByRole("columnheader", { name: /^time/ }).getByRole("button").click();
  const slowest = Math.max(...layers.map((layer) => layer.time_ns));
  await until(async () => {
    const top = grid.locator("[role=row]:not(.head)").first();
    assert.equal(await top.locator("[title$=' ns']").getAttribute("title"), exact(slowest));
  });
  const csv = frame.locator(".panel", { has: grid }).getByRole("button", { name: "CSV" });
  const saved = records((await downloaded(page, csv)).text);
  assert.deepEqual(
    saved.map((row) => Number(row.flops)),
    layers.map((layer) => layer.flops),
  );

  const text = await open(page, address, choosing([QWEN]), "spacetime");
  await headline(text, (await spaceTimeOf(address, QWEN)).sentence);
  assert.match(await text.locator(".detail").innerText(), /^All its attention is sequence/);
  assert.equal(await text.locator(".axes-table tbody tr").count(), 1);
}

async function sweepsOverFrames({ page, address }) {
  const frame = await open(page, address, choosing(VIDEOS), "spacetime");
  const query = VIDEOS.map((id) => `run=${encodeURIComponent(id)}`).join("&");
  const { fits, sentence, crossovers } = await route(address, `frames?${query}`);
  await headline(frame, sentence);
  assert.equal(await frame.locator(".sweeps canvas").count(), 2);
  const fitted = frame.locator(".compare tbody tr");
  for (const of of ["time_ns", "flops"]) {
    const row = fitted.nth(of === "flops" ? 1 : 0);
    for (const fit of fits.filter((each) => each.of === of)) {
      await row.locator(`[title="${fit.exponent}"]`).first().waitFor();
    }
    const crossover = crossovers.find((each) => each.of === of);
    if (crossover && !crossover.measured) assert.match(await row.innerText(), /predicted/);
  }
  const flops = (axis) => fits.find((fit) => fit.axis === axis && fit.of === "flops").exponent;
  assert.ok(Math.abs(flops("spatial") - 1) < 1e-6, "space grows with the frames");
  assert.ok(Math.abs(flops("temporal") - 2) < 1e-6, "time with their square");

  const panel = frame.locator(".panel", { has: frame.locator(".sweeps") });
  const csv = panel.getByRole("button", { name: "CSV" });
  const kinds = records((await downloaded(page, csv)).text).map((row) => row.row);
  assert.equal(kinds.filter((kind) => kind === "point").length, 2 * VIDEOS.length);
  const png = panel.getByRole("button", { name: "PNG" });
  assert.equal((await downloaded(page, png)).bytes.subarray(1, 4).toString(), "PNG");
  for (const width of [1280, 2560]) {
    await page.setViewportSize({ width, height: 1000 });
    await until(async () => assert.deepEqual(await tooWide(frame), []));
  }
}

export const SPACE_TIME = {
  "shows space and time": { run: showsSpaceAndTime },
  "sweeps over frames": { run: sweepsOverFrames },
};
