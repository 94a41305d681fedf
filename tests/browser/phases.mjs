// What a person does with the page Phases.

import assert from "node:assert/strict";
import { choosing, downloaded, drag, open, records, route, tooWide, until } from "./look.mjs";

const QWEN = "qwen/h100.pt.trace.json.gz";
const TIMESFORMER = "timesformer/h100.pt.trace.json.gz";
const CPU = "cpu/worker0.1700000000000.pt.trace.json";

function phasesOf(address, id, where = "") {
  return route(address, `phases?run=${encodeURIComponent(id)}${where}`);
}

async function headline(frame, text) {
  await until(async () => assert.equal(await frame.locator("h1").innerText(), text));
}

function rows(frame) {
  return frame.locator("[role=treegrid] [role=row][aria-level='1']");
}

async function showsPhases({ page, address }) {
  const frame = await open(page, address, choosing([QWEN]), "phases");
  const { phases, sentence, stretches } = await phasesOf(address, QWEN);
  await headline(frame, sentence);
  await frame.locator(".strip-box canvas").waitFor();

  assert.equal(await rows(frame).count(), phases.length);
  const sums = await rows(frame)
    .locator(".number[title$=' ns']")
    .evaluateAll((cells) => cells.map((cell) => cell.title));
  assert.deepEqual(
    sums,
    phases.map((row) => `${row.sum_ns.toLocaleString("en-US")} ns`),
  );
  const prefill = phases.find((row) => row.phase === "prefill");
  await rows(frame).filter({ hasText: "prefill" }).click();
  const [[reason, calls]] = Object.entries(prefill.reasons);
  const why = frame.locator("[role=row][aria-level='2']", { hasText: reason });
  assert.match(await why.innerText(), new RegExp(`${calls}`));

  const csv = frame.locator(".chart-panel").getByRole("button", { name: "CSV" });
  const saved = records((await downloaded(page, csv)).text);
  assert.deepEqual(
    saved.map((row) => [row.phase, Number(row.dur_ns)]),
    stretches.map((stretch) => [stretch.phase ?? "", stretch.dur_ns]),
  );
  const png = frame.locator(".chart-panel").getByRole("button", { name: "PNG" });
  assert.equal((await downloaded(page, png)).bytes.subarray(1, 4).toString(), "PNG");

  // Zoomed in here is zoomed in on the overview.
  const box = frame.locator(".strip-box");
  await drag(page, await box.boundingBox(), 0.3, 0.9);
  await until(async () => assert.match(page.url(), /gs\.range=\d+-\d+/));
  await frame.locator(".rail").getByRole("button", { name: "Overview" }).click();
  await frame.getByRole("button", { name: "Show all" }).waitFor();
  await frame.locator(".rail").getByRole("button", { name: "Phases" }).click();
  await frame.getByRole("button", { name: "Show all" }).click();
  await until(async () => assert.doesNotMatch(page.url(), /gs\.range/));

  // A click on a stretch shows its phase alone, and so does every page of attention calls.
  const { wall_ns } = await phasesOf(address, QWEN);
  const overview = await route(address, `overview?run=${encodeURIComponent(QWEN)}`);
  const { start_ns, dur_ns } = stretches.find((stretch) => stretch.phase === "prefill");
  const place = (start_ns + dur_ns / 2 - overview.strip.start_ns) / wall_ns;
  const { x, y, width } = await box.boundingBox();
  await page.mouse.move(x + place * width, y + 12);
  await until(async () => assert.match(await frame.locator(".tip").innerText(), /^prefill/));
  await page.mouse.click(x + place * width, y + 12);
  await until(async () => assert.match(page.url(), /gs\.where\.phase=prefill/));
  await until(async () => assert.equal(await rows(frame).count(), 1));
  const alone = await phasesOf(address, QWEN, "&phase=prefill");
  await headline(frame, alone.sentence);
  await frame.locator(".rail").getByRole("button", { name: "Space and time" }).click();
  assert.match(await frame.locator(".chip.filter").innerText(), /Phase prefill/);
}

async function comparesPhases({ page, address }) {
  const ids = [QWEN, TIMESFORMER, CPU];
  const frame = await open(page, address, choosing(ids), "phases");
  const [qwen, timesformer, cpu] = await Promise.all(ids.map((id) => phasesOf(address, id)));
  await headline(frame, `qwen: ${qwen.sentence}`);
  assert.equal(await frame.locator(".strip").count(), 3);
  assert.ok(cpu.training, "a backward pass is training");
  assert.match(await frame.locator(".strip").nth(2).innerText(), /Training has no phases/);
  assert.equal(await rows(frame).count(), qwen.phases.length + timesformer.phases.length);
  const tokens = frame.locator(".figures-table tr", { hasText: "tokens, encode" });
  const shown = timesformer.phases.find((row) => row.phase === "encode").tokens;
  assert.match(await tokens.innerText(), new RegExp(shown.toLocaleString("en-US")));
  for (const width of [1280, 2560]) {
    await page.setViewportSize({ width, height: 1000 });
    await until(async () => assert.deepEqual(await tooWide(frame), []));
  }

  const training = await open(page, address, choosing([CPU]), "phases");
  await training.getByText("Training has no phases").waitFor();
  await training.getByRole("button", { name: "Show the passes" }).click();
  await until(async () => assert.match(page.url(), /gs\.page=operators.*gs\.table=passes/));
}

export const PHASES = {
  "shows phases": { run: showsPhases },
  "compares phases": { run: comparesPhases },
};
