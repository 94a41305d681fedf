import { useState } from "preact/hooks";
import { expect, test } from "vitest";
import { type Column, TreeTable } from "../src/components/TreeTable";
import type { Sort } from "../src/state/url";
import { type Node, toNodes } from "../src/table/model";
import { click, draw, press } from "./dom";

interface Data {
  name: string;
  sum: number;
  children: Data[];
}

const COLUMNS: Column<Data>[] = [
  {
    id: "sum",
    title: "sum ms",
    hint: "",
    width: 80,
    isNumber: true,
    value: (row) => row.sum,
    show: (row) => String(row.sum),
    exact: (row) => `${row.sum},000 ns`,
  },
];

const HOSTILE = '<img src=x onerror="window.hurt = 1">';

const DATA: Data[] = [
  { name: "Linear", sum: 1, children: [{ name: HOSTILE, sum: 1, children: [] }] },
  { name: "Attention", sum: 2, children: [] },
];

function nodes(rows: readonly Data[]): Node<Data>[] {
  return toNodes(
    rows,
    (row) => row.name,
    (row) => nodes(row.children),
  );
}

function Held(props: { data: readonly Data[] }) {
  const [open, setOpen] = useState<readonly string[]>([]);
  const [sort, setSort] = useState<Sort | null>(null);
  return (
    <TreeTable
      label="Operators"
      nameTitle="name"
      nodes={nodes(props.data)}
      columns={COLUMNS}
      sort={sort}
      search=""
      open={open}
      onSort={setSort}
      onOpen={setOpen}
      nothing="nothing"
    />
  );
}

function names(root: Element): (string | undefined)[] {
  return [...root.querySelectorAll<HTMLElement>("[data-whole]")].map((cell) => cell.dataset.whole);
}

test("a click opens a row and closes it again", async () => {
  const root = await draw(<Held data={DATA} />);
  expect(names(root)).toEqual(["Linear", "Attention"]);
  const row = root.querySelector("[aria-expanded]");
  await click(row);
  expect(row?.getAttribute("aria-expanded")).toBe("true");
  expect(names(root)).toEqual(["Linear", HOSTILE, "Attention"]);
  await click(row);
  expect(names(root)).toEqual(["Linear", "Attention"]);
});

test("names of a trace are text, never markup", async () => {
  const root = await draw(<Held data={DATA} />);
  await click(root.querySelector("[aria-expanded]"));
  expect(root.querySelector("img")).toBeNull();
  expect(root.textContent).toContain(HOSTILE);
});

test("arrows move, open and close", async () => {
  const root = await draw(<Held data={DATA} />);
  const grid = root.querySelector("[role=treegrid]");
  const active = () =>
    root.querySelector<HTMLElement>("[aria-selected=true] [data-whole]")?.dataset.whole;
  await press(grid, "ArrowRight");
  expect(names(root)).toHaveLength(3);
  await press(grid, "ArrowDown");
  expect(active()).toBe(HOSTILE);
  await press(grid, "ArrowLeft");
  expect(active()).toBe("Linear");
  await press(grid, "ArrowLeft");
  expect(names(root)).toHaveLength(2);
  await press(grid, "End");
  expect(active()).toBe("Attention");
});

test("a header sorts numbers from the largest, then from the smallest, then not at all", async () => {
  const root = await draw(<Held data={DATA} />);
  const header = root.querySelector("[role=columnheader]:nth-child(2)");
  const sort = async () => {
    await click(header?.querySelector("button"));
    return [header?.getAttribute("aria-sort"), names(root)[0]];
  };
  expect(await sort()).toEqual(["descending", "Attention"]);
  expect(await sort()).toEqual(["ascending", "Linear"]);
  expect(await sort()).toEqual(["none", "Linear"]);
});

test("a figure shows its exact value to the pointer", async () => {
  const root = await draw(<Held data={DATA} />);
  expect(root.querySelector(".number[title]")?.getAttribute("title")).toBe("1,000 ns");
});

test("of thousands of rows only those in view are in the document", async () => {
  const many = Array.from({ length: 5000 }, (_, index) => ({
    name: `op ${index}`,
    sum: index,
    children: [],
  }));
  const root = await draw(<Held data={many} />);
  expect(root.querySelector("[role=treegrid]")?.getAttribute("aria-rowcount")).toBe("5000");
  expect(names(root).length).toBeLessThan(100);
});
