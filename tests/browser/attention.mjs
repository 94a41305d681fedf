// What a person does with the page Attention.

import assert from "node:assert/strict";
import { choosing, downloaded, drag, open, records, route, until } from "./look.mjs";

const TIMESFORMER = "timesformer/h100.pt.trace.json.gz";
const QWEN = "qwen/h100.pt.trace.json.gz";

function button(frame, name, options = { exact: true }) {
  return frame.getByRole("button", { name, ...options });
}

function calls(frame) {
  return frame.getByRole("grid", { name: "Attention calls" });
}

function plot(frame) {
  return frame.getByRole("slider", { name: /^Sequence lengths of timesformer/ });
}

/** The call that a row of the table is, by its first cell. */
async function firstCall(frame) {
  const row = calls(frame).getByRole("row").nth(1);
  return Number((await row.getByRole("gridcell").first().innerText()).replaceAll(",", ""));
}

function inAddress(page, text) {
  return until(async () => assert.ok(decodeURIComponent(page.url()).includes(text), text));
}

async function showsAttentionCalls({ page, address }) {
  const run = `run=${encodeURIComponent(TIMESFORMER)}`;
  const frame = await open(page, address, choosing([TIMESFORMER]), "attention");
  const sequence = await route(address, `sequence?${run}`);
  await until(async () => assert.equal(await frame.locator("h1").innerText(), sequence.sentence));
  assert.equal(await frame.getByRole("list", { name: "Marks" }).locator("li").count(), 2);

  // A point marks its call in the table.
  await plot(frame).focus();
  for (let at = 0; at < 4; at += 1) await page.keyboard.press("ArrowRight");
  await until(async () =>
    assert.match(await frame.getByRole("tooltip").innerText(), /call 3\b[\s\S]*3,137/),
  );
  await page.keyboard.press("Enter");
  await inAddress(page, "gs.of.call=3");
  await until(async () => assert.match(await calls(frame).locator(".marked").innerText(), /^3\s/));

  // The server sorts; a row marks its point.
  const longest = await route(address, `calls?${run}&sort=device_ns&descending=1&count=1`);
  await button(calls(frame), /^device /, {}).click();
  await until(async () => assert.equal(await firstCall(frame), longest.calls[0].index));
  await calls(frame).getByRole("row").nth(1).click();
  await inAddress(page, `gs.of.call=${longest.calls[0].index}`);

  // A stretch is zoomed in on and left again; the period is cut to.
  const box = await plot(frame).boundingBox();
  await drag(page, box, 0.3, 0.6);
  await inAddress(page, "gs.of.attention_calls=");
  await button(frame, "Show all").click();
  await until(async () => assert.ok(!page.url().includes("attention_calls")));
  await button(frame, "Cut to the period").click();
  await inAddress(page, "gs.of.attention_calls=period");
  const { period } = sequence;
  const csv = await downloaded(page, button(frame, "CSV").first());
  const drawn = records(csv.text);
  assert.deepEqual(
    drawn.map((line) => Number(line.q_len)),
    period.lengths,
  );

  // A filter holds for everything, and for the next run too.
  await button(frame, /^Axis/, {}).click();
  await frame.getByRole("dialog").getByLabel("temporal", { exact: true }).check();
  await page.keyboard.press("Escape");
  const temporal = await route(address, `sequence?${run}&axis=temporal`);
  await until(async () => assert.equal(await frame.locator("h1").innerText(), temporal.sentence));
  await button(frame, "Levels").click();
  const levels = frame.getByRole("grid", { name: "Levels" });
  await until(async () =>
    assert.equal(await levels.getByRole("row").count(), 1 + temporal.levels.length),
  );

  // From a call to its place in the timeline.
  await button(frame, "Calls").last().click();
  await calls(frame).locator(".link").first().click();
  await inAddress(page, "gs.range=");
  assert.ok(!page.url().includes("gs.page=attention"));
  await until(async () => assert.match(await frame.locator("h1").innerText(), /device/));
}

async function comparesSequences({ page, address }) {
  const ids = [TIMESFORMER, QWEN];
  const frame = await open(page, address, choosing(ids), "attention");
  await until(async () => assert.equal(await frame.locator(".multiple canvas").count(), 4));
  const qwen = await route(address, `sequence?run=${encodeURIComponent(QWEN)}`);
  assert.ok((await frame.locator(".multiple").nth(1).innerText()).includes(qwen.sentence));
  await page.setViewportSize({ width: 1280, height: 900 });
  const plots = await frame.locator(".multiple .plot-box").all();
  const tops = await Promise.all(plots.map(async (plot) => (await plot.boundingBox()).y));
  assert.equal(tops[0], tops[1], "plots beside each other stand at one height");
}

export const ATTENTION = {
  "shows attention calls": { run: showsAttentionCalls },
  "sets sequences side by side": { run: comparesSequences },
};
