import { describe, expect, test } from "vitest";
import { DEFAULT_STATE, decodeState, encodeState, isOurs, type State } from "../src/state/url";

const CHANGED: State = {
  page: "roofline",
  runs: ["a,b/50%.json.gz", "c&d=e#f/ü.json"],
  filters: { component: ["unet, down"], steps: ["1", "4"] },
  of: { call: "12", attention_scale: "linear & more" },
  scale: "absolute",
  axis: "own",
  range: [1_000, 250_000],
  shown: "c&d=e#f/ü.json",
  table: "modules",
  sort: { column: "sum", descending: true },
  search: "gemm & co",
  open: ["Attention", "Attention\u001faten::_flash<int, 4>"],
};

test("a link restores everything that can be chosen", () => {
  expect(decodeState(encodeState(CHANGED, ""))).toEqual(CHANGED);
});

test("what is as by default is left out of the link", () => {
  expect(encodeState(DEFAULT_STATE, "")).toBe("#genscope");
});

test("choosing no run differs from not choosing", () => {
  const none = encodeState({ ...DEFAULT_STATE, runs: [] }, "");
  expect(decodeState(none).runs).toEqual([]);
  expect(decodeState("#genscope").runs).toBeNull();
});

test("parts of TensorBoard and of other tabs are kept, old ones of ours are not", () => {
  const hash = "#genscope&runSelectionState=e30%3D&gs.search=old&tagFilter=x";
  const next = encodeState({ ...DEFAULT_STATE, scale: "absolute" }, hash);
  expect(next).toBe("#genscope&runSelectionState=e30%3D&tagFilter=x&gs.scale=absolute");
});

test.each([
  ["", true],
  ["#", true],
  ["#genscope&gs.search=x", true],
  ["#scalars&gs.search=x", false],
  ["#gs.search=x", true],
])("whether %j shows this tab: %s", (hash, ours) => {
  expect(isOurs(hash)).toBe(ours);
});

describe("a link made by hand", () => {
  test("falls back to the default where it means nothing", () => {
    expect(decodeState("#genscope&gs.scale=huge&gs.unknown=1&broken")).toEqual(DEFAULT_STATE);
    for (const range of ["5-5", "9-2", "-3-4", "1e3-2e3", "x", ""]) {
      expect(decodeState(`#genscope&gs.range=${range}`).range).toBeNull();
    }
  });

  test("does not fail on a broken escape", () => {
    expect(decodeState("#genscope&gs.search=%E0%A4%A").search).toBe("%E0%A4%A");
  });
});

test("a thousand open rows do not make an endless link", () => {
  const open = Array.from({ length: 1000 }, (_, index) => `Linear\u001faten::mm_${index}`);
  const hash = encodeState({ ...DEFAULT_STATE, open }, "");
  expect(hash.length).toBeLessThan(4000);
  expect(decodeState(hash).open.length).toBeGreaterThan(10);
});
