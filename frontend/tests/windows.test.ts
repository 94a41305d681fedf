import { describe, expect, test, vi } from "vitest";
import { WindowList } from "../src/table/list";
import {
  byField,
  neededPage,
  PAGE,
  placeOfKey,
  scrollingOf,
  windowOf,
  withWindow,
} from "../src/table/windows";

const own = (row: number) => row;

function rows(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}

test("what is here is not asked for again, and what is missing is", () => {
  const held = withWindow(null, { total: 1000, first: 0, rows: rows(0, PAGE) }, 0);
  expect(neededPage(held, 0, 50)).toBeNull();
  expect(neededPage(held, PAGE - 10, PAGE + 10)).toBe(1);
  expect(neededPage(held, 990, 1020)).toBe(4);
});

test("an answer that lacks rows does not have them asked for forever", () => {
  const held = withWindow(null, { total: 1000, first: 0, rows: rows(0, 20) }, 0);
  expect(neededPage(held, 0, 60)).toBeNull();
});

test("a window around a row counts for the pages that it covers", () => {
  const held = withWindow(null, { total: 1000, first: 350, rows: rows(350, 300) }, null);
  expect(neededPage(held, 400, 600)).toBeNull();
  expect(neededPage(held, 340, 360)).toBe(1);
  expect(placeOfKey(held, 512, own)).toBe(512);
  expect(placeOfKey(held, 900, own)).toBeNull();
});

test("a list of another length begins anew", () => {
  const held = withWindow(null, { total: 10, first: 0, rows: rows(0, 10) }, 0);
  const next = withWindow(held, { total: 3, first: 0, rows: [7, 8, 9] }, 0);
  expect([...next.rows.values()]).toEqual([7, 8, 9]);
});

test("rows far from those in view are given up, and asked for when one returns", () => {
  let held = withWindow<number>(null, { total: 1e6, first: 0, rows: rows(0, PAGE) }, 0);
  for (let page = 1; page < 120; page += 1) {
    held = withWindow(
      held,
      { total: 1e6, first: page * PAGE, rows: rows(page * PAGE, PAGE) },
      page,
    );
  }
  expect(held.rows.size).toBeLessThanOrEqual(21_000);
  expect(neededPage(held, 0, 10)).toBe(0);
  expect(neededPage(held, 119 * PAGE, 119 * PAGE + 10)).toBeNull();
});

test("a box too high for a browser scrolls from the first row to the last", () => {
  const [full, view] = [24e7, 500];
  const scrolling = scrollingOf(full, view);
  expect(scrolling.height).toBeLessThan(16e6);
  expect(scrolling.realTop(0)).toBe(0);
  expect(scrolling.realTop(scrolling.height - view)).toBeCloseTo(full - view);
  expect(scrollingOf(2400, 500).realTop(77)).toBe(77);
});

test("a list that is here is sorted and cut as a route does", () => {
  const list = [3, 1, 2];
  const by = { valueOf: (row: number) => (row === 1 ? null : row), descending: true };
  expect(windowOf(list, { first: 0, count: 2, at: null }, by, own).rows).toEqual([3, 2]);
  const up = { ...by, descending: false };
  expect(windowOf(list, { first: 0, count: 9, at: null }, up, own).rows).toEqual([2, 3, 1]);
  expect(windowOf(list, { first: 0, count: 2, at: 2 }, null, own)).toEqual({
    total: 3,
    first: 1,
    rows: [1, 2],
  });
});

test("a list is sorted by the field that a column names, what is not known last", () => {
  const calls = [
    { at: 1, time_ns: null },
    { at: 2, time_ns: 5 },
    { at: 3, time_ns: 9 },
  ];
  const ask = { first: 0, count: 3, at: null };
  const order = byField<(typeof calls)[number]>({ column: "time_ns", descending: true });
  const keyOf = (call: { at: number }) => call.at;
  expect(windowOf(calls, ask, order, keyOf).rows.map(keyOf)).toEqual([3, 2, 1]);
  expect(windowOf(calls, ask, byField(null), keyOf).rows.map(keyOf)).toEqual([1, 2, 3]);
});

describe("a list that comes in windows", () => {
  function server(total: number) {
    return vi.fn(async (ask: { first: number; count: number; at: number | null }) => {
      const first = ask.at === null ? ask.first : Math.max(0, Math.min(total, ask.at) - 100);
      return { total, first, rows: rows(first, Math.min(ask.count, total - first)) };
    });
  }

  test("opens around the marked row", async () => {
    const list = new WindowList<number>(() => {});
    const load = server(5000);
    list.begin("a", load, own, 3000);
    await vi.waitFor(() => expect(list.held).not.toBeNull());
    expect(load).toHaveBeenCalledTimes(1);
    expect(placeOfKey(list.held as never, 3000, own)).toBe(3000);
    expect(list.lost).toBeNull();
  });

  test("says which row it does not have", async () => {
    const list = new WindowList<number>(() => {});
    list.begin("a", server(50), own, null);
    await vi.waitFor(() => expect(list.held).not.toBeNull());
    list.find(777);
    await vi.waitFor(() => expect(list.lost).toBe(777));
    list.find(null);
    expect(list.lost).toBeNull();
  });

  test("keeps the rows of the last list until those of the next are here", async () => {
    const list = new WindowList<number>(() => {});
    list.begin("a", server(50), own, null);
    await vi.waitFor(() => expect(list.held?.total).toBe(50));
    list.begin("b", server(70), own, null);
    expect([list.held?.total, list.isStale]).toEqual([50, true]);
    await vi.waitFor(() => expect(list.held?.total).toBe(70));
    expect(list.isStale).toBe(false);
  });

  test("drops an answer that comes after another list was begun", async () => {
    const answers: (() => void)[] = [];
    const slow = () =>
      new Promise<{ total: number; first: number; rows: number[] }>((resolve) => {
        answers.push(() => resolve({ total: 1, first: 0, rows: [1] }));
      });
    const list = new WindowList<number>(() => {});
    list.begin("a", slow, own, null);
    list.begin("b", server(70), own, null);
    await vi.waitFor(() => expect(list.held?.total).toBe(70));
    answers[0]?.();
    await Promise.resolve();
    expect(list.held?.total).toBe(70);
  });

  test("asks again after a failure only when told to", async () => {
    const list = new WindowList<number>(() => {});
    const load = vi.fn().mockRejectedValueOnce(new Error("gone")).mockImplementation(server(50));
    list.begin("a", load, own, null);
    await vi.waitFor(() => expect(list.error?.message).toBe("gone"));
    list.want(0, 20);
    expect(load).toHaveBeenCalledTimes(1);
    list.again();
    await vi.waitFor(() => expect(list.held?.total).toBe(50));
    expect(list.error).toBeNull();
  });
});
