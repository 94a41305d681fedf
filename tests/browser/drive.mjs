// Runs one scenario of scenarios.mjs in Chromium: node drive.mjs SCENARIO ADDRESS FOLDER.
// Fails on what a person would not notice too: console errors, failed or foreign requests.

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SCENARIOS } from "./scenarios.mjs";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const PATIENCE_MS = 60_000;

/** Requests and messages that are TensorBoard's own doing; each says why it is no fault of ours. */
const FORGIVEN = [
  // Below a path prefix TensorBoard asks for its fonts without the prefix.
  { url: /\/font-roboto\//, status: 404 },
];

/**
 * Notes everything that goes wrong on `page`; `expected` are status codes the scenario provokes,
 * `forgives` what it provokes on the console, and `standIn` is the one other host it has a page of.
 */
function watch(page, address, { expected = [], forgives = null, standIn = null }) {
  const faults = [];
  const provoked = (text) => forgives?.test(text) ?? false;
  const origin = new URL(address).origin;
  const isForgiven = (url, status) =>
    expected.includes(status) ||
    FORGIVEN.some((each) => each.url.test(url) && (!status || each.status === status));
  page.on("pageerror", (error) => faults.push(`error on the page: ${error.stack}`));
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const status = Number(/status of (\d+)/.exec(message.text())?.[1] ?? 0);
    if (isForgiven(message.location().url, status) || provoked(message.text())) return;
    faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin === standIn?.origin) return;
    if (/^https?:$/.test(url.protocol) && url.origin !== origin) {
      faults.push(`a request to another host: ${url}`);
    }
  });
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    // A page that is left, or a choice that has changed, ends what it asked for.
    if (reason === "net::ERR_ABORTED" || provoked(reason)) return;
    faults.push(`failed: ${request.url()} ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && !isForgiven(response.url(), response.status())) {
      faults.push(`${response.status()}: ${response.url()}`);
    }
  });
  return faults;
}

const [name, address, folder] = process.argv.slice(2);
const scenario = SCENARIOS[name];
if (scenario === undefined) throw new Error(`There is no scenario ${name}.`);

const profile = mkdtempSync(join(tmpdir(), "genscope-chromium-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM,
  headless: true,
  acceptDownloads: true,
  viewport: scenario.viewport ?? { width: 1280, height: 900 },
  args: ARGUMENTS,
});
context.setDefaultTimeout(PATIENCE_MS);
const page = context.pages()[0] ?? (await context.newPage());
const faults = watch(page, address, scenario);
/** What the stand-in was asked for: nothing leaves this machine for its host. */
const asked = [];
if (scenario.standIn) {
  await context.route(`${scenario.standIn.origin}/**`, (route) => {
    asked.push(route.request().url());
    return route.fulfill({ contentType: "text/html", body: scenario.standIn.body });
  });
}
try {
  await scenario.run({ page, address, asked });
} catch (error) {
  faults.push(error.stack);
}
await page.screenshot({ path: join(folder, `${name}.png`) });
await context.close();
rmSync(profile, { recursive: true, force: true });
for (const fault of faults) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);
