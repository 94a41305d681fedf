// What a person does with a report, which has no server; its runs are those of `pairs.py`.

import assert from "node:assert/strict";
import { downloaded, faintTexts, records, tooWide, until } from "./look.mjs";

const PAGES = [
  "Overview",
  "Operators",
  "Attention",
  "Phases",
  "Speedup",
  "Space and time",
  "Roofline",
];

function button(box, name) {
  return box.getByRole("button", { name, exact: true });
}

async function headline(page, text) {
  await until(async () => assert.equal(await page.locator("h1").innerText(), text));
}

/** Turns to a page and waits until what it draws is there. */
async function turnTo(page, name) {
  await page.locator(".rail").getByRole("button", { name }).click();
  await until(async () =>
    assert.equal(await page.locator(".rail [aria-current]").innerText(), name),
  );
  await until(async () => {
    assert.equal(await page.locator(".reading, [aria-busy=true]").count(), 0);
    assert.notEqual(await page.locator("main h1").innerText(), "");
    assert.ok((await page.locator("main canvas").count()) > 0, "something is drawn");
    assert.ok((await page.locator("main :is(table, .table)").count()) > 0, "figures are listed");
  });
}

async function readsEveryPage({ page, address }) {
  await page.context().setOffline(true);
  await page.goto(address);
  const { page: first, views } = await page.evaluate(() =>
    JSON.parse(document.getElementById("genscope-data").textContent),
  );
  assert.equal(first, "operators");
  const [[pair, speedup]] = Object.entries(views.speedup);
  const [base] = pair.split("\n");
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const name of PAGES) {
      await turnTo(page, name);
      await until(async () => assert.deepEqual(await faintTexts(page), [], name));
      // A list of calls has more columns than room, and is moved along.
      const wide = (await tooWide(page)).filter((each) => !/^table flat/.test(each));
      assert.deepEqual(wide, [], name);
      assert.deepEqual(await page.getByRole("alert").allInnerTexts(), [], name);
      assert.equal(await page.locator(".filters").count(), 0, "nobody is there to filter");
      assert.equal(await page.getByRole("button", { name: /in Perfetto$/ }).count(), 0);
    }
  }

  // Calls are sorted here, since nobody else would.
  await turnTo(page, "Attention");
  await headline(page, views.sequence[base].sentence);
  const { calls } = views.calls[base];
  const grid = page.getByRole("grid", { name: "Attention calls" });
  assert.equal(await grid.getAttribute("aria-rowcount"), String(calls.length));
  await grid.getByRole("button", { name: /^CPU/ }).click();
  const slowest = calls.toSorted((a, b) => b.cpu_ns - a.cpu_ns)[0].index;
  await until(async () =>
    assert.equal(await grid.getByRole("gridcell").first().innerText(), String(slowest)),
  );
  const csv = await downloaded(page, button(page.locator(".panel.tables"), "CSV"));
  assert.equal(records(csv.text).length, calls.length);
  await grid.locator(".link").first().click();
  await until(async () => assert.match(page.url(), /gs\.range=/));

  await turnTo(page, "Phases");
  await until(async () =>
    assert.match(await page.locator("h1").innerText(), new RegExp(views.phases[base].sentence)),
  );
  assert.equal(await page.locator(".phase-keys button:enabled").count(), 0);

  await turnTo(page, "Speedup");
  await headline(page, speedup.sentence);
  const aligned = page.getByRole("grid", { name: "Aligned calls" });
  assert.equal(await aligned.getAttribute("aria-rowcount"), String(speedup.aligned));
  await aligned.getByRole("button", { name: "speedup" }).click();
  const fastest = views.aligned[pair].calls.toSorted((a, b) => b.speedup - a.speedup)[0];
  await until(async () =>
    assert.equal(
      await aligned.getByRole("gridcell").first().innerText(),
      String(fastest.baseline_index),
    ),
  );
  await page.getByRole("button", { name: /^Not aligned/ }).click();
  const apart = page.getByRole("grid", { name: "Calls of one run only" });
  await until(async () =>
    assert.equal(await apart.getAttribute("aria-rowcount"), String(views.unaligned[pair].total)),
  );
  await page.getByLabel("Fused", { exact: true }).selectOption("none");
  await headline(page, views.prediction[[base, ...pair.split("\n")].join("\n")].sentence);
  assert.deepEqual(await page.getByRole("alert").allInnerTexts(), []);
}

export const REPORT = { "reads every page of a report": { run: readsEveryPage } };
