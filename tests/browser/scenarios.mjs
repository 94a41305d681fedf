// What a person does with the page. Each scenario is one visit; drive.mjs watches for faults.

import assert from "node:assert/strict";
import {
  bars,
  choosing,
  compared,
  downloaded,
  faintTexts,
  frameOf,
  lengthOf,
  open,
  records,
  route,
  until,
} from "./look.mjs";

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

function button(frame, name) {
  return frame.getByRole("button", { name });
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
  }
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
}

async function explainsAnEmptyLogdir({ page, address }) {
  const frame = await open(page, address);
  await frame.getByText("No trace under the logdir yet").waitFor();
  assert.match(await frame.locator("pre").innerText(), /tensorboard_trace_handler/);
}

async function fitsTheWindow({ page, address }) {
  const frame = await open(page, address, `${choosing([...PAIR, CPU])}&gs.open=Attention,Linear`);
  await headline(frame, /qwen/);
  for (const width of [1280, 2560]) {
    await page.setViewportSize({ width, height: 1000 });
    await until(async () => {
      const { over, canvas, box } = await frame.evaluate(() => ({
        over: [...document.querySelectorAll("main, .panel, .table")]
          .filter((element) => element.scrollWidth > element.clientWidth + 1)
          .map((element) => element.className || element.tagName),
        canvas: document.querySelector(".chart canvas").clientWidth,
        box: document.querySelector(".chart").clientWidth,
      }));
      assert.deepEqual(over, [], `wider than a window of ${width}`);
      assert.equal(canvas, box, "the chart follows the window");
    });
  }
}

/** By name; `expected` are the error statuses that a scenario provokes. */
export const SCENARIOS = {
  "chooses runs": { run: choosesRuns },
  "draws bars": { run: drawsBars },
  "drills down": { run: drillsDown },
  "keeps state in the address": { run: keepsStateInAddress },
  "saves figures": { run: savesFigures },
  "follows the theme": { run: followsTheme },
  "fits the window": { run: fitsTheWindow },
  "shows text as text": { run: showsTextAsText },
  "says what is wrong": { run: saysWhatIsWrong, expected: [422] },
  "explains an empty logdir": { run: explainsAnEmptyLogdir },
};
