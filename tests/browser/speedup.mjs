// What a person does with the page Speedup; the runs are those of `pairs.py`.

import assert from "node:assert/strict";
import { choosing, downloaded, open, records, route, tooWide, until } from "./look.mjs";

function button(box, name) {
  return box.getByRole("button", { name, exact: true });
}

/** The panel with this heading. */
function panel(frame, heading) {
  return frame.locator(".panel", { has: frame.getByRole("heading", { name: heading }) });
}

async function headline(frame, text) {
  await until(async () => assert.equal(await frame.locator("h1").innerText(), text));
}

function inAddress(page, text) {
  return until(async () => assert.ok(decodeURIComponent(page.url()).includes(text), text));
}

function exact(ns) {
  return `${ns.toLocaleString("en-US")} ns`;
}

function asked(name, ids) {
  return `${name}?${ids.map((id) => `run=${encodeURIComponent(id)}`).join("&")}`;
}

/** Saves the parts of the explanation and adds them up. */
async function addsUp(page, frame, law) {
  const csv = await downloaded(page, button(panel(frame, "What explains it"), "CSV"));
  const lines = records(csv.text);
  assert.deepEqual([...new Set(lines.map((line) => line.measure))], [law.measure]);
  const changes = lines.map((line) => Number(line.delta_ns)).reduce((sum, ns) => sum + ns, 0);
  assert.equal(law.baseline_ns + changes, law.fused_ns, "no part is lost");
  assert.equal(Number(lines.at(-1).to_ns), law.fused_ns);
}

async function explainsASpeedup({ page, address }) {
  const { runs } = await route(address, "runs");
  const idOf = (name) => runs.find((run) => run.id.startsWith(`${name}/`)).id;
  const [baseline, fused] = [idOf("math"), idOf("flash")];
  // Chosen in the wrong order: what they compute tells which is the baseline.
  const frame = await open(page, address, choosing([fused, baseline]), "speedup");
  const speedup = await route(address, asked("speedup", [baseline, fused]));
  await headline(frame, speedup.sentence);
  assert.match(await frame.locator(".pair-bar").innerText(), /Proposed as a pair/);

  const figures = panel(frame, "Figures");
  for (const row of [...speedup.end_to_end, ...speedup.module]) {
    await figures
      .locator(`[title="${exact(row.baseline_ns)}"]`)
      .first()
      .waitFor();
    await figures.locator(`[title="${row.speedup}"]`).first().waitFor();
  }
  assert.equal(speedup.end_to_end[0].name, "unprofiled", "as the collector measured it");

  // Bars and steps are gone through by keys, and tell the exact figures.
  const [attention] = speedup.categories.filter((row) => row.category === "Attention");
  await frame.getByRole("slider", { name: /^Time by category/ }).focus();
  await page.keyboard.press("ArrowDown");
  const tip = frame.getByRole("tooltip");
  await until(async () => assert.ok((await tip.innerText()).includes(exact(attention.fused_ns))));
  await addsUp(page, frame, speedup.amdahl[0]);
  await button(frame, "Wall time").click();
  await inAddress(page, "gs.of.speedup_measure=wall");
  const wall = speedup.amdahl.find((law) => law.measure === "wall");
  await frame.getByRole("slider", { name: /^From the baseline's time/ }).focus();
  await page.keyboard.press("End");
  await until(async () => assert.ok((await tip.innerText()).includes(exact(wall.fused_ns))));
  await addsUp(page, frame, wall);
  for (const name of ["What explains it", "Before and after, by category", "Speedup by shape"]) {
    const png = await downloaded(page, button(panel(frame, name), "PNG"));
    assert.equal(png.bytes.subarray(1, 4).toString(), "PNG");
  }

  // The server sorts the calls; a call is found again on the page Attention.
  const calls = frame.getByRole("grid", { name: "Aligned calls" });
  await calls.getByRole("button", { name: /speedup$/ }).click();
  const sorted = `${asked("aligned", [baseline, fused])}&sort=speedup&descending=1&count=1`;
  const [fastest] = (await route(address, sorted)).calls;
  const link = `Show call ${fastest.fused_index} of the fused run on the page Attention`;
  await until(async () =>
    assert.equal(
      await calls.locator(".row:not(.head) button.link").nth(1).getAttribute("title"),
      link,
    ),
  );
  await button(frame, "Shapes").click();
  await frame.getByRole("treegrid", { name: "shapes" }).getByText(speedup.shapes[0].name).waitFor();
  await frame.getByRole("button", { name: /^Aligned calls/ }).click();
  await calls.locator(`button[title="${link}"]`).click();
  await inAddress(page, `gs.of.call=${fastest.fused_index}`);
  await inAddress(page, "gs.page=attention");
  await page.goBack();
  await headline(frame, speedup.sentence);

  for (const width of [1280, 2560]) {
    await page.setViewportSize({ width, height: 1000 });
    await until(async () => assert.deepEqual(await tooWide(frame), []));
  }
}

async function choosesAPair({ page, address }) {
  const { runs } = await route(address, "runs");
  const ids = ["math", "flash"].map((name) => runs.find((run) => run.id.startsWith(`${name}/`)).id);
  const frame = await open(page, address, choosing(ids), "speedup");
  await headline(frame, (await route(address, asked("speedup", ids))).sentence);

  const swapped = ids.toReversed();
  await frame.getByRole("button", { name: "Swap baseline and fused" }).click();
  await headline(frame, (await route(address, asked("speedup", swapped))).sentence);
  await inAddress(page, `gs.of.speedup_base=${swapped[0]}`);

  // Without a fused run: what is measured is the run, what is predicted comes from the pair.
  await frame.getByLabel("Baseline", { exact: true }).selectOption(ids[0]);
  await frame.getByLabel("Fused", { exact: true }).selectOption("none");
  const prediction = await route(address, asked("prediction", [ids[0], ...ids]));
  await headline(frame, prediction.sentence);
  assert.ok(prediction.predicted.length > 0);
  const chart = panel(frame, "What could be gained");
  assert.match(await chart.locator("figcaption").innerText(), /Hatched is predicted, from: pair/);
  const csv = records((await downloaded(page, button(chart, "CSV"))).text);
  assert.deepEqual(
    csv.filter((line) => line.mode === "predicted").map((line) => Number(line.total_ns)),
    prediction.predicted.map((row) => row.total_ns),
  );
  await frame.getByLabel("Where the speedups are from").selectOption("none");
  await headline(frame, (await route(address, asked("prediction", [ids[0]]))).sentence);
  await page.reload();
}

export const SPEEDUP = {
  "explains a speedup": { run: explainsASpeedup },
  "chooses a pair": { run: choosesAPair },
};
