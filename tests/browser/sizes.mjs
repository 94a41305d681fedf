// What a person does with the pages Memory and Scaling; the runs are those of `sizes.py`.

import assert from "node:assert/strict";
import {
  choosing,
  downloaded,
  faintTexts,
  frameOf,
  open,
  records,
  route,
  tooWide,
  until,
} from "./look.mjs";

const SIZES = ["064", "128", "256"];
const MATH = SIZES.map((px) => `math${px}/cpu.pt.trace.json`);
const FLASH = SIZES.map((px) => `flash${px}/cpu.pt.trace.json`);
const ALL = [...MATH, ...FLASH];

function of(address, name, ids) {
  const runs = ids.map((id) => `run=${encodeURIComponent(id)}`).join("&");
  return route(address, `${name}?${runs}`);
}

async function headline(frame, text) {
  await until(async () => assert.equal(await frame.locator("h1").innerText(), text));
}

function button(box, name) {
  return box.getByRole("button", { name, exact: true });
}

function panelOf(frame, name) {
  return frame.locator(".panel", { has: frame.getByRole("heading", { name, exact: true }) });
}

function bytes(value) {
  return `${value.toLocaleString("en-US")} B`;
}

async function isPicture(page, save) {
  assert.equal((await downloaded(page, save)).bytes.subarray(1, 4).toString(), "PNG");
}

/** Also where a window is narrow; long tables have more columns than room, and are moved along. */
async function fits(page, frame) {
  for (const width of [2560, 1280]) {
    await page.setViewportSize({ width, height: 1000 });
    await until(async () => {
      const wide = (await tooWide(frame)).filter((each) => !/^table flat/.test(each));
      assert.deepEqual(wide, []);
    });
  }
}

async function memory({ page, address }) {
  const frame = await open(page, address, choosing(ALL), "memory");
  const base = await of(address, "memory", MATH.slice(0, 1));
  const growth = await of(address, "memory-growth", ALL);
  await headline(frame, `math064: ${base.sentence}`);
  await until(async () =>
    assert.equal(await frame.locator(".detail").innerText(), growth.sentence),
  );

  // Formula, corrected and recorded stand side by side, of a step and of each stage.
  const step = frame.locator(".workload").first();
  for (const figure of ["paper_bytes", "real_bytes", "recorded_bytes"]) {
    await step
      .locator(`[title="${bytes(base.similarity[figure])}"]`)
      .first()
      .waitFor();
  }
  const grid = frame.getByRole("grid", { name: "Stages" });
  const first = grid.locator("[role=row]:not(.head)").first();
  const [stage] = base.stages;
  for (const figure of ["paper_bytes", "real_bytes", "softmax_bytes"]) {
    await first
      .locator(`[title="${bytes(stage[figure])}"]`)
      .first()
      .waitFor();
  }
  const stages = await downloaded(page, button(panelOf(frame, "Stages"), "CSV"));
  assert.deepEqual(
    records(stages.text).map((row) => Number(row.real_bytes)),
    base.stages.map((each) => each.real_bytes),
  );

  // The chart gives the exact figure, by the keys as well, and can show sizes of one run alone.
  const chart = frame.locator(".laws");
  await chart.focus();
  await page.keyboard.press("ArrowRight");
  const most = Math.max(growth.points[0].real_bytes, growth.points[0].peak_bytes);
  assert.ok((await frame.locator(".tip").innerText()).includes(bytes(most)));
  await page.keyboard.press("Escape");
  await button(frame, "From one run").click();
  const alone = base.growth.fits.find((fit) => fit.of === "self_bytes").exponent.toFixed(2);
  assert.equal(alone, "4.00");
  const key = frame.getByRole("button", { name: /^of these, self attention/ });
  await until(async () => assert.match(await key.innerText(), new RegExp(alone)));
  await key.click();
  await until(async () => assert.equal(await key.getAttribute("aria-pressed"), "false"));
  assert.match(page.url(), /gs\.of\.memory_hidden=self_bytes/);

  const allocated = panelOf(frame, "Allocated while recording");
  const [device] = base.measured.devices;
  await allocated.locator(`b[title="${bytes(device.peak_bytes)}"]`).waitFor();
  await isPicture(page, button(allocated, "PNG"));
  await allocated.getByLabel("Run of the tables").selectOption(FLASH[0]);
  await allocated.getByText("Allocations were not recorded").waitFor();
  await fits(page, frame);
  await until(async () => assert.deepEqual(await faintTexts(frame), []));
}

async function scaling({ page, address }) {
  const frame = await open(page, address, choosing(ALL), "scaling");
  const { sweeps } = await of(address, "scaling", ALL);
  const [sweep] = sweeps;
  await headline(frame, sweep.sentence);
  await button(frame, "FLOPs").click();
  await button(frame, "Kind").click();
  const rows = panelOf(frame, "Fits").locator("tbody tr");
  for (const [at, line] of sweep.lines.entries()) {
    const kind = (name) =>
      line.fits.find(
        (fit) =>
          fit.metric === "flops" &&
          fit.group === "kind" &&
          fit.name === name &&
          fit.component === null,
      );
    assert.ok(Math.abs(kind("self").exponent - 4) < 1e-6, "self attention grows with area squared");
    assert.ok(Math.abs(kind("cross").exponent - 2) < 1e-6, "cross attention with the area");
    const row = rows.filter({ hasText: "self" }).nth(at);
    await row.locator(`[title="${kind("self").exponent}"]`).waitFor();
  }
  const crossings = sweep.lines.flatMap((line) =>
    line.crossovers.filter((each) => each.metric === "flops"),
  );
  assert.ok(crossings.length > 0);
  const listed = panelOf(frame, "Crossovers");
  await until(async () => assert.equal(await listed.locator("tbody tr").count(), crossings.length));
  for (const { value } of crossings) {
    await listed.locator(`[title="${value}"]`).first().waitFor();
  }
  const saved = await downloaded(page, button(panelOf(frame, "Fits"), "CSV"));
  assert.equal(
    records(saved.text).length,
    sweep.lines.reduce((sum, line) => sum + line.fits.length, 0),
  );
  await isPicture(page, button(frame.locator(".chart-panel"), "PNG"));

  // The link has what is shown.
  assert.match(page.url(), /gs\.of\.scaling_metric=flops/);
  await page.reload();
  const again = await frameOf(page);
  await until(async () =>
    assert.equal(await button(again, "Kind").getAttribute("aria-pressed"), "true"),
  );
  await until(async () => assert.equal(await again.locator(".runs-table").count(), 3));
  await fits(page, again);

  const one = await open(page, address, choosing(MATH.slice(0, 1)), "scaling");
  await one.getByText("genscope suite run --models stable-diffusion").waitFor();
  const [left] = (await of(address, "scaling", MATH.slice(0, 1))).left_out;
  await one.locator(".left-out").getByText(left.reason).waitFor();
}

async function setsSizesSideBySide(given) {
  await memory(given);
  await scaling(given);
}

export const SIZES_SIDE_BY_SIDE = { "sets sizes side by side": { run: setsSizesSideBySide } };
