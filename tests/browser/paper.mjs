// What a person sees of the page Paper; the runs are those of `pairs.py`, marked as of the suite.

import assert from "node:assert/strict";
import { downloaded, open, records, route, tooWide, until } from "./look.mjs";

async function showsThePaper({ page, address }) {
  const frame = await open(page, address, "", "paper");
  // Two small runs are read without being asked for, one after the other.
  const paper = await until(async () => {
    const found = await route(address, "paper");
    assert.deepEqual(
      found.runs.map((run) => run.state),
      ["used", "used"],
    );
    return found;
  });
  await until(async () => assert.equal(await frame.locator("h1").innerText(), paper.sentence));
  await until(async () => assert.equal(await frame.locator(".reading").count(), 0));

  const figure = (ref) => frame.locator(`section[aria-label^="${ref}:"]`);
  const [cell] = paper.figures.measured[0].speedups.cells;
  const table = figure("Table II");
  const { text } = await downloaded(page, table.getByRole("button", { name: "CSV" }));
  const [row] = records(text).filter((line) => line.model === cell.model);
  assert.equal(Number(row.measured_speedup), cell.speedup);
  assert.equal(Number(row.paper_speedup), paper.figures.cited.speedups[cell.model]);
  const png = await downloaded(page, figure("Figure 7").getByRole("button", { name: "PNG" }));
  assert.equal(png.bytes.subarray(1, 4).toString(), "PNG");
  await table.getByRole("slider").focus();
  await page.keyboard.press("ArrowRight");
  await frame.getByRole("tooltip").waitFor();
  const [need] = paper.figures.measured[0].frames.needs;
  await figure("Figure 14").getByText(need.command).waitFor();

  const verdict = "not measurable here";
  await frame.getByRole("button", { name: /^not measurable \d/ }).click();
  await until(async () =>
    assert.equal(await frame.locator(".claims .why").count(), paper.verdicts[verdict]),
  );
  for (const width of [1280, 2560]) {
    await page.setViewportSize({ width, height: 1000 });
    await until(async () => assert.deepEqual(await tooWide(frame), []));
  }
}

export const PAPER = { "shows the paper": { run: showsThePaper } };
