import { expect, test } from "vitest";
import { type Available, active, FILTERS, selectionOf, withValues } from "../src/filters/registry";
import { decodeState, encodeState } from "../src/state/url";

test("filters survive a link, commas and all, beside parts of others", () => {
  const state = decodeState("#genscope&theme=x");
  const filters = { component: ["unet, down", "vae"], steps: ["2", "5"] };
  const hash = encodeState({ ...state, filters }, "#genscope&theme=x");
  expect(decodeState(hash).filters).toEqual(filters);
  expect(hash).toContain("theme=x");
});

test("what a link holds that no filter knows is not asked for", () => {
  const { filters } = decodeState("#genscope&gs.where.colour=red&gs.where.steps=a,b");
  expect(selectionOf(filters, false)).toEqual([]);
  expect(active(filters, false)).toEqual([]);
});

test("a range is asked for by its ends", () => {
  expect(selectionOf({ steps: ["2", "5"] }, false)).toEqual([
    ["first_step", "2"],
    ["last_step", "5"],
  ]);
});

test("without a value a filter is gone", () => {
  expect(withValues({ pass: ["forward"], component: ["vae"] }, "pass", [])).toEqual({
    component: ["vae"],
  });
});

test("filters of calls hold on pages of calls, and are not given to the routes of others", () => {
  const filters = { kind: ["cross", "none"], component: ["unet"] };
  expect(selectionOf(filters, false)).toEqual([["component", "unet"]]);
  expect(selectionOf(filters, true)).toEqual([
    ["component", "unet"],
    ["kind", "cross"],
    ["kind", "none"],
  ]);
});

test("kinds to choose from are those of the calls, in their order, unknown ones last", () => {
  const groups = ["cross", null, "self", "cross"].map((kind) => ({
    kind,
    axis: null,
    phase: null,
  }));
  const kind = FILTERS.find((filter) => filter.id === "kind");
  const available = { calls: groups } as unknown as Available;
  expect(kind?.choices(available).map((choice) => choice.title)).toEqual([
    "self",
    "cross",
    "unknown kind",
  ]);
});
