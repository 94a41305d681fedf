// How scenarios look at the page: its frame, its routes, and what is drawn on its canvas.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const PATIENCE_MS = 60_000;

/** Opens a page of GenScope's tab with `hash` behind its name and gives the frame of the page. */
export async function open(page, address, hash = "", which = "operators") {
  await page.goto(`${address}/#genscope&gs.page=${which}${hash}`);
  return frameOf(page);
}

export async function frameOf(page) {
  const element = await page.waitForSelector('iframe[src*="plugin_entry.html?name=genscope"]', {
    state: "attached",
  });
  const frame = await element.contentFrame();
  await frame.waitForSelector("#genscope .frame");
  return frame;
}

/** The hash part that chooses these runs, as the page writes it. */
export function choosing(ids) {
  const list = ids.map((id) => id.replace(/[%,]/g, encodeURIComponent)).join(",");
  return `&gs.runs=${encodeURIComponent(list)}`;
}

/** Waits until `check` does not throw; fails with what it threw last. */
export async function until(check) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** JSON of a route of the plugin, once what it needs has been read. */
export async function route(address, path) {
  return until(async () => {
    const answer = await fetch(`${address}/data/plugin/genscope/${path}`);
    assert.equal(answer.status, 200, path);
    return answer.json();
  });
}

export function compared(address, ids) {
  return route(address, `compare?${ids.map((id) => `run=${encodeURIComponent(id)}`).join("&")}`);
}

export function overviewOf(address, id) {
  return route(address, `overview?run=${encodeURIComponent(id)}`);
}

/** Pixels of each colour of the legend in each strip, from the top. */
export function strips(frame) {
  return frame.evaluate(() => {
    const colors = [...document.querySelectorAll(".legend li")].map((item) => ({
      name: item.textContent,
      channels: getComputedStyle(item.querySelector("i")).backgroundColor.match(/\d+/g).map(Number),
    }));
    return [...document.querySelectorAll(".strip canvas")].map((canvas) => {
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      const counts = {};
      for (let at = 0; at < data.length; at += 4) {
        const found = colors.find(({ channels }) =>
          [0, 1, 2].every((channel) => Math.abs(channels[channel] - data[at + channel]) <= 1),
        );
        if (found) counts[found.name] = (counts[found.name] ?? 0) + 1;
      }
      return counts;
    });
  });
}

/** Clicks and gives the text or bytes of what is downloaded, with its name. */
export async function downloaded(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  const bytes = await readFile(await download.path());
  return { name: download.suggestedFilename(), bytes, text: bytes.toString("utf8") };
}

/** Records of a CSV text with a header, by column. */
export function records(text) {
  const rows = [];
  let row = [""];
  let isQuoted = false;
  for (const letter of text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n")) {
    if (letter === '"') isQuoted = !isQuoted;
    else if (letter === "," && !isQuoted) row.push("");
    else if (letter === "\n" && !isQuoted) {
      rows.push(row);
      row = [""];
    } else row[row.length - 1] += letter;
  }
  const [header, ...lines] = rows;
  return lines.map((line) => Object.fromEntries(header.map((name, at) => [name, line[at]])));
}

/**
 * What the canvas shows: for each bar from the top, the pixels of each colour of the legend in a
 * row through the bar above its text.
 */
export function bars(frame) {
  return frame.evaluate(() => {
    const canvas = document.querySelector(".chart canvas");
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const colors = [...document.querySelectorAll(".legend li")].flatMap((item) => {
      const color = getComputedStyle(item.querySelector("i")).backgroundColor;
      const channels = color.match(/\d+/g)?.slice(0, 3).map(Number) ?? [];
      return item.textContent.startsWith("no launch")
        ? []
        : [{ name: item.textContent, channels }];
    });
    const countsAt = (y) => {
      const counts = {};
      for (let x = 0; x < width; x += 1) {
        const at = 4 * (y * width + x);
        const found = colors.find(({ channels }) =>
          channels.every((value, channel) => Math.abs(value - data[at + channel]) <= 2),
        );
        if (found) counts[found.name] = (counts[found.name] ?? 0) + 1;
      }
      return counts;
    };
    const found = [];
    let depth = 0;
    for (let y = 0; y < height; y += 1) {
      const counts = countsAt(y);
      const isBar = Object.values(counts).some((count) => count > 8);
      depth = isBar ? depth + 1 : 0;
      if (depth === 4) found.push(counts);
    }
    return found;
  });
}

/** What is wider than its place, so that a part of it cannot be seen. */
export function tooWide(frame) {
  return frame.evaluate(() =>
    [...document.querySelectorAll("main, .panel, .table, .runs-table, .workload, .causes")]
      .filter((element) => element.scrollWidth > element.clientWidth + 1)
      .map((element) => element.className || element.tagName),
  );
}

/** Presses the mouse at a part of the width of `box`, moves it to another and lets go. */
export async function drag(page, box, from, to) {
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + from * box.width, y);
  await page.mouse.down();
  await page.mouse.move(box.x + ((from + to) / 2) * box.width, y);
  await page.mouse.move(box.x + to * box.width, y);
  await page.mouse.up();
}

/** Pixels of all colours of a bar. */
export function lengthOf(bar) {
  return Object.values(bar).reduce((sum, count) => sum + count, 0);
}

/** Texts whose contrast with what lies behind them is below 4.5, the least that reads well. */
export function faintTexts(frame) {
  return frame.evaluate(() => {
    const luminance = ([red, green, blue]) => {
      const linear = (value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      };
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const channels = (color) => color.match(/[\d.]+/g).map(Number);
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = channels(getComputedStyle(at).backgroundColor);
        if (color.length < 4 || color[3] === 1) return color;
      }
      return [255, 255, 255];
    };
    const faint = [];
    for (const element of document.querySelectorAll("#genscope *")) {
      const text = [...element.childNodes].some(
        (node) => node.nodeType === 3 && node.textContent.trim() !== "",
      );
      if (!text || element.disabled || element.checkVisibility?.() === false) continue;
      const pair = [channels(getComputedStyle(element).color), behind(element)].map(luminance);
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      if (ratio < 4.5) faint.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return faint;
  });
}
