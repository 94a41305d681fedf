// What a person does with the page. Each scenario is one visit; drive.mjs watches for faults.

import assert from "node:assert/strict";
import { ATTENTION } from "./attention.mjs";
import {
  bars,
  choosing,
  compared,
  downloaded,
  drag,
  faintTexts,
  frameOf,
  lengthOf,
  open,
  overviewOf,
  records,
  route,
  strips,
  tooWide,
  until,
} from "./look.mjs";
import { PAPER } from "./paper.mjs";
import { PHASES } from "./phases.mjs";
import { REPORT } from "./report.mjs";
import { ROOFLINE } from "./roofline.mjs";
import { SIZES_SIDE_BY_SIDE } from "./sizes.mjs";
import { SPACE_TIME } from "./spacetime.mjs";
import { SPEEDUP } from "./speedup.mjs";
import { TRACE } from "./trace.mjs";

const QWEN = "qwen/h100.pt.trace.json.gz";
const TIMESFORMER = "timesformer/h100.pt.trace.json.gz";
const CPU = "cpu/worker0.1700000000000.pt.trace.json";
const PAIR = [QWEN, TIMESFORMER];

/** The name by which the hostile run and its events would take the page over. */
const HOSTILE = /<img src=x onerror=/;

async function headline(frame, pattern) {
  await until(async () => assert.match(await frame.locator("h1").innerText(), pattern));
}

function row(frame, name) {
  return frame.locator('[role=row]:not(.head)', { has: frame.locator(`[title="${name}"]`) });
}

function button(frame, name, options = {}) {
  return frame.getByRole("button", { name, ...options });
}

async function turnTo(frame, page) {
  await frame.locator(".rail").getByRole("button", { name: page }).click();
}

/** Compares the canvas with the route, the first run's bar being the longest. */
function assertDrawn(drawn, comparison) {
  assert.equal(drawn.length, comparison.runs.length, "one bar a run");
  const [longest] = comparison.runs;
  const pixels = lengthOf(drawn[0]);
  comparison.runs.forEach((run, at) => {
    for (const { category, sum_ns, unlinked_ns } of run.categories) {
      // Dots lie over the part without a launch, so only whole parts can be measured.
      const expected = sum_ns / longest.basis_sum_ns;
      if (unlinked_ns > 0 || expected < 0.02) continue;
      const measured = (drawn[at][category] ?? 0) / pixels;
      assert.ok(
        Math.abs(measured - expected) < 0.02,
        `${run.run} ${category}: drawn ${measured}, is ${expected}`,
      );
    }
  });
}

async function choosesRuns({ page, address }) {
  const frame = await open(page, address);
  await headline(frame, /takes/);
  assert.equal(await frame.locator(".chip").count(), 1, "one run is shown to begin with");

  await button(frame, "Choose runs").click();
  const list = frame.getByRole("dialog");
  await list.getByLabel("Filter runs").fill("timesf");
  assert.equal(await list.getByRole("checkbox").count(), 1);
  await list.getByRole("checkbox").check();
  await page.keyboard.press("Escape");
  await headline(frame, /; in timesformer /);
  assert.equal(await frame.locator(".chip").count(), 2);

  await button(frame, "Make timesformer the base").click();
  await headline(frame, /^Attention takes 81.6 % of device time in timesformer; /);
  assert.match(await frame.locator(".chip.base").innerText(), /timesformer/);

  const chips = frame.locator(".chip");
  await chips.nth(1).dragTo(chips.nth(0));
  await until(async () => assert.doesNotMatch(await chips.nth(0).innerText(), /timesformer/));

  await button(frame, "Make timesformer the base").focus();
  await page.keyboard.press("Alt+ArrowLeft");
  await until(async () => assert.match(await chips.nth(0).innerText(), /timesformer/));
  assert.match(page.url(), /gs\.runs=timesformer/);

  await button(frame, "Remove timesformer").click();
  await until(async () => assert.equal(await frame.locator(".chip").count(), 1));
}

async function drawsBars({ page, address }) {
  const ids = [TIMESFORMER, QWEN];
  const frame = await open(page, address, choosing(ids));
  const comparison = await compared(address, ids);
  await headline(frame, /in qwen/);
  await until(async () => assertDrawn(await bars(frame), comparison));

  await button(frame, "Absolute time").click();
  await until(async () => assertDrawn(await bars(frame), comparison));
  assert.match(await frame.locator("figcaption").innerText(), /kernels, copies and sets/);
  assert.match(await frame.locator(".legend").innerText(), /no launch/);

  const chart = await frame.locator(".chart").boundingBox();
  await page.mouse.click(chart.x + chart.width / 2, chart.y + 28);
  const attention = row(frame, "Attention").first();
  await until(async () => assert.equal(await attention.getAttribute("aria-expanded"), "true"));
  await frame.locator(".chart").focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  const { categories } = comparison.runs[1];
  const sum_ns = categories.find((bar) => bar.category === "Attention").sum_ns;
  assert.match(
    await frame.locator(".tip").innerText(),
    new RegExp(`Attention[^]*qwen[^]*${sum_ns.toLocaleString("en-US")} ns`),
  );
  await page.keyboard.press("Enter");
  await until(async () =>
    assert.equal(await frame.getByLabel("Run of the tables").inputValue(), QWEN),
  );

  // Time of a CPU is no measure for time of a device.
  const mixed = await open(page, address, choosing([TIMESFORMER, CPU]));
  await headline(mixed, /in cpu/);
  assert.ok(await button(mixed, "Relative to base").isDisabled());
  assert.match(await mixed.locator("figcaption").innerText(), /self time of CPU operators/);
  assert.match(await mixed.locator(".warning").innerText(), /basis/);
}

async function drillsDown({ page, address }) {
  const frame = await open(page, address, choosing([TIMESFORMER]));
  const operators = await route(address, `operators?run=${encodeURIComponent(TIMESFORMER)}`);
  const [category] = operators.categories;
  const [op] = category.children;
  const [kernel] = op.children;
  await row(frame, category.category).click();
  await row(frame, op.name).first().click();
  const shown = row(frame, kernel.name.replaceAll('"', '\\"')).first();
  await shown.waitFor();
  const exact = await shown.locator(".number[title]").first().getAttribute("title");
  assert.equal(exact, `${kernel.sum_ns.toLocaleString("en-US")} ns`);

  const search = frame.getByLabel("Search names");
  await shown.locator(".number").first().click();
  await page.keyboard.press("Control+C");
  await search.click();
  await page.keyboard.press("Control+V");
  assert.equal(await search.inputValue(), kernel.name, "a copied name is whole");
  await page.keyboard.press("Escape");

  await shown.locator(".number").first().click();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await until(async () => assert.equal(await shown.count(), 0, "the left arrow closes the op"));

  await page.keyboard.press("/");
  await page.keyboard.type("softmax");
  await until(async () => {
    const names = await frame.locator("[role=row]:not(.head) [data-whole]").allInnerTexts();
    assert.ok(names.length > 0 && names.some((name) => /softmax/i.test(name)));
  });
  assert.equal(await search.inputValue(), "softmax");
  await page.keyboard.press("Escape");
  assert.equal(await search.inputValue(), "");

  await frame.getByRole("columnheader", { name: "launches" }).getByRole("button").click();
  const most = operators.categories.toSorted((a, b) => b.launches - a.launches)[0].category;
  await until(async () => {
    const first = await frame.locator("[role=row][aria-level='1'] [data-whole]").first().innerText();
    assert.equal(first, most);
  });

  await button(frame, "Modules").click();
  await button(frame, "Open all").click();
  const grid = frame.getByRole("treegrid");
  await until(async () =>
    assert.equal(await grid.getAttribute("aria-rowcount"), String(operators.modules.length)),
  );
  assert.ok((await frame.locator("[role=row]").count()) < 120, "rows out of view are not drawn");
}

async function keepsStateInAddress({ page, address }) {
  let frame = await open(page, address, choosing(PAIR));
  await headline(frame, /qwen/);
  await button(frame, "Absolute time").click();
  await row(frame, "Linear").click();
  await frame.getByLabel("Run of the tables").selectOption(TIMESFORMER);
  await button(frame, "Components").click();
  assert.match(page.url(), /gs\.scale=absolute/);

  await page.reload();
  frame = await frameOf(page);
  await headline(frame, /qwen/);
  const pressed = () => frame.locator(".segmented [aria-pressed=true]").allInnerTexts();
  await until(async () => assert.deepEqual(await pressed(), ["Absolute time", "Components"]));
  assert.equal(await frame.getByLabel("Run of the tables").inputValue(), TIMESFORMER);
  assert.equal(await frame.locator(".chip").count(), 2);

  await page.goBack();
  await until(async () => assert.deepEqual(await pressed(), ["Absolute time", "Operators"]));
  assert.equal(await row(frame, "Linear").getAttribute("aria-expanded"), "true");
  await page.goForward();
  await until(async () => assert.deepEqual(await pressed(), ["Absolute time", "Components"]));
}

async function savesFigures({ page, address }) {
  const frame = await open(page, address, choosing(PAIR));
  await headline(frame, /qwen/);
  const chart = frame.locator(".chart-panel");

  const csv = records((await downloaded(page, chart.getByRole("button", { name: "CSV" }))).text);
  const comparison = await compared(address, PAIR);
  const expected = comparison.runs.flatMap((run) =>
    run.categories.map((bar) => ({ run: run.run, basis: run.basis, ...bar })),
  );
  assert.equal(csv.length, expected.length);
  csv.forEach((line, at) => {
    for (const [field, value] of Object.entries(expected[at])) {
      assert.equal(line[field], value === null ? "" : String(value), `${field} of line ${at}`);
    }
  });

  const table = frame.locator(".tables").getByRole("button", { name: "CSV" });
  const rows = records((await downloaded(page, table)).text);
  const operators = await route(address, `operators?run=${encodeURIComponent(QWEN)}`);
  const sum = (level) =>
    rows.filter((line) => line.level === level).reduce((all, line) => all + Number(line.sum_ns), 0);
  assert.equal(sum("category"), operators.basis_sum_ns);
  assert.equal(sum("kernel"), operators.basis_sum_ns);

  const png = await downloaded(page, chart.getByRole("button", { name: "PNG" }));
  assert.deepEqual([...png.bytes.subarray(1, 4)], [0x50, 0x4e, 0x47]);
  assert.ok(png.bytes.length > 10_000 && png.name.endsWith(".png"));
}

async function followsTheme({ page, address }) {
  const frame = await open(page, address, choosing(PAIR));
  await headline(frame, /qwen/);
  const background = () => frame.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  assert.deepEqual(await faintTexts(frame), []);
  for (const [choice, check] of [
    ["Dark", (now) => assert.notEqual(now, light)],
    ["Light", (now) => assert.equal(now, light)],
  ]) {
    await page.locator("app-header-dark-mode-toggle button").click();
    await page.getByRole("menuitem", { name: choice }).click();
    await until(async () => check(await background()));
    assert.deepEqual(await faintTexts(frame), [], choice);
    await turnTo(frame, "Overview");
    await frame.locator(".strip canvas").first().waitFor();
    assert.deepEqual(await faintTexts(frame), [], `${choice}, Overview`);
    await turnTo(frame, "Operators");
    await headline(frame, /qwen/);
  }
}

async function showsTheOverview({ page, address }) {
  const frame = await open(page, address, choosing([TIMESFORMER, CPU]), "overview");
  const overview = await overviewOf(address, TIMESFORMER);
  await headline(frame, /^timesformer: The device is idle 58.6 %/);
  const { categories, busy_ns } = overview.strip;
  const total = busy_ns.flat().reduce((sum, ns) => sum + ns, 0);
  await until(async () => {
    const [drawn] = await strips(frame);
    const pixels = lengthOf(drawn);
    categories.forEach((category, at) => {
      const expected = busy_ns[at].reduce((sum, ns) => sum + ns, 0) / total;
      if (expected < 0.03) return;
      const measured = (drawn[category] ?? 0) / pixels;
      assert.ok(Math.abs(measured - expected) < 0.03, `${category}: ${measured}, is ${expected}`);
    });
  });
  const runs = frame.locator(".runs-table tbody tr");
  assert.match(await runs.nth(0).innerText(), /NVIDIA H100/);
  assert.match(await runs.nth(1).innerText(), /CPU only/);
  assert.equal(
    await runs.nth(0).locator("td").nth(2).getAttribute("title"),
    `${overview.devices[0].busy_ns.toLocaleString("en-US")} ns`,
  );

  const strip = await frame.locator(".strip-box").first().boundingBox();
  await page.mouse.move(strip.x + strip.width / 4, strip.y + 30);
  assert.match(await frame.locator(".tip").innerText(), /busy[\s\S]*Gap 1, 218 ms/);
  await page.mouse.move(0, 0);
  await frame.locator(".strip-box").first().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.match(await frame.locator(".tip").innerText(), /^1.25 ms to 2.45 ms/);
  await page.keyboard.press("Escape");
  assert.equal(await frame.locator(".tip").count(), 0);

  const chart = frame.locator(".chart-panel");
  const csv = records((await downloaded(page, chart.getByRole("button", { name: "CSV" }))).text);
  const own = csv.filter((line) => line.run === "timesformer");
  assert.deepEqual(
    own.map((line) => Number(line.device_busy_ns)),
    overview.strip.device_busy_ns,
  );
  const png = await downloaded(page, chart.getByRole("button", { name: "PNG" }));
  assert.deepEqual([...png.bytes.subarray(1, 4)], [0x50, 0x4e, 0x47]);

  await row(frame, `1. (start of the recording) → ${overview.gaps[0].after}`).click();
  await frame.locator(`[data-whole="${overview.gaps[0].cpu[0].name}"]`).waitFor();
  const gaps = frame.locator(".waits").getByRole("button", { name: "CSV" }).last();
  const lines = records((await downloaded(page, gaps)).text).filter((line) => !line.cpu_kind);
  assert.deepEqual(
    lines.map((line) => Number(line.dur_ns)),
    overview.gaps.map((gap) => gap.dur_ns),
  );
  await button(frame, "Full width each").click();
  await button(frame, "cpu", { exact: true }).last().click();
  await frame.getByText("so there is no idle time to explain").waitFor();
  assert.match(page.url(), /gs\.axis=own/);
  await page.goBack();
  await frame.locator(".causes").waitFor();
}

/** The range in the address, or null. */
function rangeOf(page) {
  const found = /gs\.range=(\d+)-(\d+)/.exec(page.url());
  return found && found.slice(1).map(Number);
}

/** Waits until a range is in the address that is another than `before`. */
function nextRange(page, before) {
  return until(async () => {
    const range = rangeOf(page);
    assert.notDeepEqual(range, before);
    return range;
  });
}

async function zoomsTheTimeline({ page, address }) {
  let frame = await open(page, address, choosing([TIMESFORMER]), "overview");
  await headline(frame, /^The device is idle/);
  const { strip, wall_ns } = await overviewOf(address, TIMESFORMER);
  const box = () => frame.locator(".strip-box").boundingBox();
  const asked = page.waitForResponse(
    (response) => /genscope\/timeline\?run/.test(response.url()) && response.status() === 200,
  );
  await drag(page, await box(), 0.7, 0.8);
  const chosen = await nextRange(page, null);
  chosen.forEach((ns, at) => {
    const expected = (at === 0 ? 0.7 : 0.8) * wall_ns;
    assert.ok(Math.abs(ns - expected) < 0.002 * wall_ns, `${ns} is not ${expected}`);
  });
  const finer = await (await asked).json();
  assert.ok(finer.strip.bin_ns < strip.bin_ns / 3, "the server gives finer bins");

  const [from_ns, to_ns] = chosen.map((ns) => strip.start_ns + ns);
  const stretch = `timeline?run=${encodeURIComponent(TIMESFORMER)}&from_ns=${from_ns}&to_ns=${to_ns}`;
  const { categories, busy_ns } = (await route(address, stretch)).strip;
  const sums = busy_ns.map((row) => row.reduce((sum, ns) => sum + ns, 0));
  const total = sums.reduce((sum, ns) => sum + ns, 0);
  await until(async () => {
    const [drawn] = await strips(frame);
    categories.forEach((category, at) => {
      const measured = (drawn[category] ?? 0) / lengthOf(drawn);
      const expected = sums[at] / total;
      assert.ok(Math.abs(measured - expected) < 0.03, `${category}: ${measured}, is ${expected}`);
    });
  });
  const lines = async () => {
    const csv = frame.locator(".chart-panel").getByRole("button", { name: "CSV" });
    return records((await downloaded(page, csv)).text);
  };
  await until(async () => {
    const rows = await lines();
    assert.equal(Number(rows[0].bin_ns), finer.strip.bin_ns);
    assert.ok(Number(rows[0].start_ns) <= from_ns);
    assert.ok(Number(rows.at(-1).start_ns) < to_ns);
  });

  await page.reload();
  frame = await frameOf(page);
  await frame.getByRole("button", { name: "Show all" }).waitFor();
  assert.deepEqual(rangeOf(page), chosen);

  const { x, y, width, height } = await box();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.keyboard.down("Shift");
  await page.mouse.wheel(0, 100);
  const moved = await nextRange(page, chosen);
  assert.ok(moved[0] > chosen[0] && moved[1] - moved[0] === chosen[1] - chosen[0]);
  await drag(page, await box(), 0.5, 0.7);
  const dragged = await nextRange(page, moved);
  assert.ok(dragged[0] < moved[0] && dragged[1] - dragged[0] === moved[1] - moved[0]);
  await page.keyboard.up("Shift");

  await page.mouse.move(x + width / 4, y + height / 2);
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -120);
  await page.keyboard.up("Control");
  const closer = await nextRange(page, dragged);
  const under = ([from, to]) => from + (to - from) / 4;
  assert.ok(Math.abs(under(closer) - under(dragged)) < 0.01 * (dragged[1] - dragged[0]));
  await page.keyboard.press("-");
  await nextRange(page, closer);
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("+");
  await page.keyboard.press("Escape");
  await until(async () => assert.equal(rangeOf(page), null));
  await page.goBack();
  const back = await nextRange(page, null);
  await frame.getByRole("button", { name: "Show all" }).waitFor();
  assert.ok(back[1] - back[0] < wall_ns);
  await page.mouse.dblclick(x + width / 2, y + height / 2);
  await until(async () => assert.equal(rangeOf(page), null));
  assert.equal(await button(frame, "Show all").count(), 0);
}

async function filters({ page, address }) {
  let frame = await open(page, address, choosing([TIMESFORMER]));
  await headline(frame, /takes 81.6 %/);
  await button(frame, "Component ▾").click();
  await frame.getByRole("dialog").getByLabel("(no module)").check();
  await page.keyboard.press("Escape");
  const filtered = await route(
    address,
    `compare?run=${encodeURIComponent(TIMESFORMER)}&component=${encodeURIComponent("(no module)")}`,
  );
  await headline(frame, /^Memory takes/);
  await until(async () => assertDrawn(await bars(frame), filtered));
  assert.match(decodeURIComponent(page.url()), /gs\.where\.component=\(no module\)/);

  await page.reload();
  frame = await frameOf(page);
  await headline(frame, /^Memory takes/);
  await turnTo(frame, "Overview");
  await headline(frame, /of the selected work Memory takes/);
  await button(frame, "Remove the filter Component").click();
  await headline(frame, /of its work Attention takes/);
  assert.doesNotMatch(page.url(), /where/);
  await page.goBack();
  await headline(frame, /of the selected work Memory takes/);
}

async function stopsReading({ page, address }) {
  const asked = [];
  let isSlow = true;
  // The server is real, but these files are read too quickly for a person to stop it.
  await page.route(/genscope\/overview\?run=qwen/, (request) => {
    asked.push(request.request().url());
    if (!isSlow) return request.continue();
    const progress = { state: "reading", read_bytes: 100_000, size_bytes: 384_130 };
    return request.fulfill({ status: 202, json: progress });
  });
  const stopped = page.waitForResponse(/genscope\/cancel\?run=qwen/);
  const frame = await open(page, address, choosing(PAIR), "overview");
  await frame.getByText("100 kB of 384 kB").waitFor();
  await button(frame, "Stop reading qwen").click();
  assert.equal((await stopped).status(), 200);
  await frame.getByText("Reading qwen was stopped.").waitFor();
  await headline(frame, /^The device is idle 58.6 %/);
  const before = asked.length;
  await page.waitForTimeout(1000);
  assert.equal(asked.length, before, "what was stopped is not asked for any more");
  isSlow = false;
  await button(frame, "Read it").click();
  await headline(frame, /^qwen: The device is busy/);
}

async function setsBesideTheBase({ page, address }) {
  const frame = await open(page, address, choosing(PAIR));
  await headline(frame, /qwen/);
  await button(frame, "Against base").click();
  const comparison = await compared(address, PAIR);
  const bar = comparison.runs[1].categories.find((each) => each.category === "Attention");
  const cells = row(frame, "Attention").first().locator(".number");
  await cells.first().waitFor();
  assert.equal(
    await cells.nth(2).getAttribute("title"),
    `${bar.delta_ns.toLocaleString("en-US")} ns`,
  );
  assert.equal(
    await cells.nth(1).getAttribute("title"),
    `${bar.sum_ns.toLocaleString("en-US")} ns`,
  );
  const table = frame.locator(".tables").getByRole("button", { name: "CSV" });
  const lines = records((await downloaded(page, table)).text);
  const line = lines.find((each) => each.level === "category" && each.path === "Attention");
  assert.equal(line.delta_ns, String(bar.delta_ns));
  assert.equal(line.sum_ns, String(bar.sum_ns));
}

/** `address` is that of a report's file, made of a hostile trace and a recorded one. */
async function readsAReport({ page, address }) {
  await page.context().setOffline(true);
  await page.goto(address);
  await headline(page, HOSTILE);
  // The hostile run is a thousand times shorter than the other, and its bar cannot be seen.
  await until(async () => assert.equal((await bars(page)).length, 1));
  assert.equal(await page.locator(".filters").count(), 0, "nobody is there to filter");
  await page.locator(".chip .label").nth(1).click();
  await headline(page, /in h100; in .*<img src=x onerror=/);
  await button(page, "Against base").click();
  await row(page, "Attention").first().waitFor();
  await turnTo(page, "Overview");
  await headline(page, /^h100: The device is busy 91.7 %/);
  await page.locator(".runs-table").waitFor();
  assert.deepEqual(await tooWide(page), [], "the report fits without the fonts of TensorBoard");
  await button(page, "Full width each").click();
  await until(async () => {
    const drawn = await strips(page);
    assert.equal(drawn.length, 2);
    assert.ok(drawn.every((each) => lengthOf(each) > 1000));
  });
  await page.getByLabel("Run of the tables").selectOption({ index: 1 });
  await page.locator(".waits [data-whole*='<script>']").first().waitFor();
  await downloaded(page, page.locator(".chart-panel").getByRole("button", { name: "PNG" }));
  await page.reload();
  await headline(page, /^h100: The device is busy 91.7 %/);
  await page.emulateMedia({ colorScheme: "dark" });
  await until(async () => assert.deepEqual(await faintTexts(page), []));
  assert.equal(await page.locator("#genscope :is(img, script, svg, iframe)").count(), 0);
  assert.equal(await page.evaluate(() => window.hurt), undefined);
}

async function showsTextAsText({ page, address }) {
  const frame = await open(page, address);
  await headline(frame, /takes/);
  await button(frame, "Choose runs").click();
  const list = frame.getByRole("dialog");
  assert.match(await list.innerText(), HOSTILE);
  for (const box of await list.getByRole("checkbox").all()) await box.check();
  await page.keyboard.press("Escape");
  await headline(frame, HOSTILE);
  await button(frame, "Open all").click();
  await until(async () =>
    assert.equal(
      await frame.locator("[data-whole*='<script>']").count(),
      1,
      "the kernel is shown by its name",
    ),
  );
  const chart = await frame.locator(".chart").boundingBox();
  let step = 0;
  await until(async () => {
    // A bar grows to its length, so one move may come before it is there.
    step += 1;
    await page.mouse.move(chart.x + chart.width / 2 + (step % 9), chart.y + 28);
    assert.match((await frame.locator(".tip").allInnerTexts()).join(), HOSTILE);
  });
  assert.match(await frame.locator(".warning").innerText(), HOSTILE);
  await downloaded(page, frame.locator(".chart-panel").getByRole("button", { name: "PNG" }));

  await turnTo(frame, "Overview");
  await frame.locator(".waits [data-whole*='<script>']").first().waitFor();
  await headline(frame, HOSTILE);
  await downloaded(page, frame.locator(".chart-panel").getByRole("button", { name: "PNG" }));

  assert.equal(await frame.locator("#genscope :is(img, script, svg, iframe)").count(), 0);
  for (const each of page.frames()) {
    assert.equal(await each.evaluate(() => window.hurt), undefined);
  }
}

async function saysWhatIsWrong({ page, address }) {
  const ids = ["good/worker0.pt.trace.json", "text/notes.pt.trace.json", "gone.pt.trace.json"];
  const frame = await open(page, address, choosing(ids));
  const alerts = () => frame.getByRole("alert").allInnerTexts();
  await headline(frame, /takes/);
  await until(async () => assert.equal((await alerts()).length, 2));
  const [gone, unusable] = await alerts();
  assert.match(gone, /gone\.pt\.trace\.json.*no such file/s);
  assert.match(unusable, /notes\.pt\.trace\.json/);
  assert.equal((await bars(frame)).length, 1, "the good one is shown");
  for (const name of ["Overview", "Attention", "Phases", "Speedup", "Space and time"]) {
    await turnTo(frame, name);
    await until(async () => {
      assert.equal(await frame.locator(".rail [aria-current]").innerText(), name);
      assert.match((await alerts()).join(), /notes\.pt\.trace\.json/, name);
      assert.notEqual(await frame.locator("main h1").innerText(), "", name);
      assert.ok((await frame.locator(".stale, .reading").count()) === 0, name);
    });
    assert.equal((await alerts()).length, 2, name);
  }
}

async function explainsAnEmptyLogdir({ page, address }) {
  const frame = await open(page, address);
  await frame.getByText("No trace under the logdir yet").waitFor();
  assert.match(await frame.locator("pre").innerText(), /tensorboard_trace_handler/);
}

async function fitsTheWindow({ page, address }) {
  const frame = await open(page, address, `${choosing([...PAIR, CPU])}&gs.open=Attention,Linear`);
  await headline(frame, /qwen/);
  for (const turn of ["Operators", "Overview"]) {
    await turnTo(frame, turn);
    await frame.locator("canvas").first().waitFor();
    for (const width of [1280, 2560]) {
      await page.setViewportSize({ width, height: 1000 });
      await until(async () => {
        const { canvas, box } = await frame.evaluate(() => ({
          canvas: document.querySelector("canvas").clientWidth,
          box: document.querySelector(".chart, .strip-box").clientWidth,
        }));
        assert.deepEqual(await tooWide(frame), [], `${turn} is wider than a window of ${width}`);
        assert.equal(canvas, box, "the chart follows the window");
      });
    }
  }
}

/** By name; `expected` are the error statuses that a scenario provokes. */
export const SCENARIOS = {
  ...PHASES,
  ...REPORT,
  ...ROOFLINE,
  ...SIZES_SIDE_BY_SIDE,
  ...SPACE_TIME,
  ...SPEEDUP,
  ...PAPER,
  "chooses runs": { run: choosesRuns },
  "draws bars": { run: drawsBars },
  "drills down": { run: drillsDown },
  "keeps state in the address": { run: keepsStateInAddress },
  "saves figures": { run: savesFigures },
  "shows the overview": { run: showsTheOverview },
  "zooms the timeline": { run: zoomsTheTimeline },
  filters: { run: filters },
  "stops reading": { run: stopsReading },
  "sets beside the base": { run: setsBesideTheBase },
  "reads a report": { run: readsAReport },
  "follows the theme": { run: followsTheme },
  "fits the window": { run: fitsTheWindow },
  "shows text as text": { run: showsTextAsText },
  "says what is wrong": { run: saysWhatIsWrong, expected: [422] },
  "explains an empty logdir": { run: explainsAnEmptyLogdir },
  ...ATTENTION,
  ...TRACE,
};
