import { expect, test } from "vitest";
import { active, selectionOf, withValues } from "../src/filters/registry";
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
  expect(selectionOf(filters)).toEqual([]);
  expect(active(filters)).toEqual([]);
});

test("a range is asked for by its ends", () => {
  expect(selectionOf({ steps: ["2", "5"] })).toEqual([
    ["first_step", "2"],
    ["last_step", "5"],
  ]);
});

test("without a value a filter is gone", () => {
  expect(withValues({ pass: ["forward"], component: ["vae"] }, "pass", [])).toEqual({
    component: ["vae"],
  });
});
