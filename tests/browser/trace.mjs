// What a person does with the page Trace. A page of ours stands in for the Perfetto UI: it speaks
// the protocol that the UI documents, and notes what it is given.

import assert from "node:assert/strict";
import { choosing, downloaded, open, overviewOf, route, tooWide, until } from "./look.mjs";

const QWEN = "qwen/h100.pt.trace.json.gz";

const UI = "https://ui.perfetto.dev";

/** Like the UI it listens a while after it is loaded, to the window that frames it. */
const STAND_IN = `<!doctype html><title>stand-in</title><script>
  window.got = [];
  setTimeout(() => addEventListener("message", ({ data, origin, source }) => {
    if (source !== parent) return;
    if (data === "PING") return source.postMessage("PONG", origin);
    got.push({ origin, ...data.perfetto });
  }), 500);
</script>`;

function button(frame, name, options = { exact: true }) {
  return frame.getByRole("button", { name, ...options });
}

async function bytesOf(address, id, form) {
  const url = `${address}/data/plugin/genscope/trace?run=${encodeURIComponent(id)}&form=${form}`;
  return until(async () => {
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    return Buffer.from(await answer.arrayBuffer());
  });
}

/** The stand-in, once it has been given `count` messages. */
async function given(page, frame, count) {
  return until(async () => {
    const ui = frame.childFrames()[0];
    assert.ok(ui?.url().startsWith(UI), "there is no frame of the UI");
    assert.equal(await ui.evaluate(() => window.got.length), count);
    return ui;
  });
}

function traceGiven(ui) {
  return ui.evaluate(() => {
    const { buffer, ...rest } = window.got[0];
    let letters = "";
    for (const byte of new Uint8Array(buffer)) letters += String.fromCharCode(byte);
    return { ...rest, base64: btoa(letters) };
  });
}

function stretchGiven(ui) {
  return ui.evaluate(() => window.got.at(-1));
}

/** That the stand-in was told of `span`, counted as the form that begins at `starts_ns` does. */
function isSpan(told, { starts_ns }, [from, to]) {
  assert.equal(told.timeStart, Number(BigInt(starts_ns) + BigInt(from)) / 1e9);
  assert.equal(told.timeEnd, Number(BigInt(starts_ns) + BigInt(to)) / 1e9);
  assert.ok(told.viewPercentage > 0 && told.viewPercentage <= 1);
}

async function opensPerfetto({ page, address, asked }) {
  const entries = [];
  page.on("response", (response) => {
    if (response.url().includes("plugin_entry.html")) entries.push(response);
  });
  const frame = await open(page, address, choosing([QWEN]), "attention");
  const run = `run=${encodeURIComponent(QWEN)}`;
  const { calls } = await route(address, `calls?${run}&first=0&count=5`);
  const call = calls[4];
  await button(frame, `Show call ${call.index} in Perfetto`).click();
  await until(async () => assert.match(page.url(), /gs\.page=trace/));
  const forms = await route(address, `trace-forms?${run}`);
  await button(frame, /^Annotated, /, {}).waitFor();
  const start = frame.locator(".forms .main");
  await until(async () => assert.ok(await start.isEnabled()));
  assert.equal(await frame.locator("iframe").count(), 0);
  assert.deepEqual(asked, [], "nothing is asked of the UI's host before the button");

  // The trace arrives as it is, and then the stretch of the call.
  await start.click();
  let ui = await given(page, frame, 2);
  const annotated = await traceGiven(ui);
  const bytes = await bytesOf(address, QWEN, "annotated");
  assert.equal(annotated.base64, bytes.toString("base64"));
  assert.equal(bytes.length, forms.annotated.size_bytes);
  assert.equal(annotated.fileName, forms.annotated.file);
  assert.equal(annotated.origin, new URL(address).origin);
  assert.equal(annotated.keepApiOpen, true);
  const from = call.device_start_ns ?? call.start_ns;
  const span = [from, from + Math.max(1000, call.device_ns ?? call.cpu_ns)];
  isSpan(await stretchGiven(ui), forms.annotated, span);
  assert.match(ui.url(), new RegExp(`visStart=${BigInt(forms.annotated.starts_ns) + BigInt(from)}&`));
  assert.deepEqual(asked, [`${UI}/`], "what was selected is in no request");
  const [entry] = entries;
  assert.match(entry.headers()["content-security-policy"], /frame-src[^;]*https:\/\/ui\.perfetto\.dev/);

  await button(frame, "To the selection").click();
  await given(page, frame, 3);
  for (const width of [1280, 2560]) {
    await page.setViewportSize({ width, height: 1000 });
    await until(async () => assert.deepEqual(await tooWide(frame), []));
  }

  // The file as it lies there has its own clock.
  await button(frame, /^Original, /, {}).click();
  await until(async () => assert.equal(await frame.locator("iframe").count(), 0));
  await start.click();
  ui = await given(page, frame, 2);
  const original = await bytesOf(address, QWEN, "original");
  assert.equal((await traceGiven(ui)).base64, original.toString("base64"));
  isSpan(await stretchGiven(ui), forms.original, span);
  const saved = await downloaded(page, frame.getByRole("link", { name: /^Download / }));
  assert.equal(saved.name, forms.original.file);
  assert.ok(saved.bytes.equals(original));
  await button(frame, "Close").click();
  await until(async () => assert.equal(await frame.locator("iframe").count(), 0));

  // A gap and a stretch of the timeline lead here too; without one the trace opens as a whole.
  const { gaps, strip } = await overviewOf(address, QWEN);
  const overview = await open(page, address, `${choosing([QWEN])}&gs.range=1000000-3000000`, "overview");
  await button(overview, "In Perfetto").click();
  const inTimeline = `trace_span=${strip.start_ns + 1_000_000}-${strip.start_ns + 3_000_000}`;
  await until(async () => assert.ok(page.url().includes(inTimeline), page.url()));
  await page.goBack();
  await button(overview, "Show the gap in Perfetto").first().click();
  const [gap] = gaps;
  const inGap = `trace_span=${gap.start_ns}-${gap.start_ns + gap.dur_ns}`;
  await until(async () => assert.ok(page.url().includes(inGap), page.url()));
  await button(overview, "Show the whole trace").click();
  await until(async () => assert.ok(!page.url().includes("trace_span")));
  await overview.locator(".forms .main").click();
  ui = await given(page, overview, 1);
  assert.equal(ui.url(), `${UI}/`);
}

async function findsPerfettoSilent({ page, address }) {
  const frame = await open(page, address, choosing([QWEN]), "trace");
  await until(async () => assert.ok(await frame.locator(".forms .main").isEnabled()));
  await frame.locator(".forms .main").click();
  const alert = frame.getByRole("alert");
  await alert.filter({ hasText: "does not answer" }).waitFor();
  assert.match(await alert.innerText(), /download[\s\S]*genscope open/);
  assert.equal(await frame.getByRole("link", { name: /^Download .*\.pftrace$/ }).count(), 1);
}

async function mayNotFramePerfetto({ page, address, asked }) {
  await page.route(/plugin_entry\.html/, async (each) => {
    const response = await each.fetch();
    const headers = response.headers();
    const policy = headers["content-security-policy"].replace(UI, "");
    await each.fulfill({ response, headers: { ...headers, "content-security-policy": policy } });
  });
  const frame = await open(page, address, choosing([QWEN]), "trace");
  await until(async () => assert.ok(await frame.locator(".forms .main").isEnabled()));
  await frame.locator(".forms .main").click();
  await frame.getByRole("alert").filter({ hasText: "does not let" }).waitFor();
  assert.deepEqual(asked, []);

  // A tab of its own is not framed.
  const [tab] = await Promise.all([
    page.waitForEvent("popup"),
    button(frame, "In a tab of its own").click(),
  ]);
  await until(async () => assert.ok(tab.url().startsWith(UI)));
  assert.deepEqual(asked, [`${UI}/`]);
}

const STANDING_IN = { origin: UI, body: STAND_IN };

export const TRACE = {
  "opens Perfetto": { run: opensPerfetto, standIn: STANDING_IN },
  "finds Perfetto silent": {
    run: findsPerfettoSilent,
    standIn: { origin: UI, body: "<!doctype html><title>silent</title>" },
  },
  "may not frame Perfetto": {
    run: mayNotFramePerfetto,
    standIn: STANDING_IN,
    // A browser says that it keeps to the rules; a new tab is blank for a moment.
    forgives: /frame-src|BLOCKED_BY_CSP|recipient window's origin/,
  },
};
