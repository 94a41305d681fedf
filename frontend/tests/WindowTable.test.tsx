import { useState } from "preact/hooks";
import { expect, test, vi } from "vitest";
import type { Sort } from "../src/state/url";
import { type WindowAsk, type WindowColumn, WindowTable } from "../src/table/WindowTable";
import { click, draw, press, until } from "./dom";

interface Call {
  index: number;
  name: string;
}

const HOSTILE = '<img src=x onerror="window.hurt = 1">';

const COLUMNS: WindowColumn<Call>[] = [
  {
    id: "index",
    title: "call",
    hint: "",
    width: 80,
    isNumber: true,
    show: (row) => row.index,
  },
  { id: "name", title: "name", hint: "", width: 80, isNumber: false, show: (row) => row.name },
];

function Table(props: { total: number; marked?: number; asked: (ask: WindowAsk) => void }) {
  const [sort, setSort] = useState<Sort | null>(null);
  const [marked, setMarked] = useState<number | null>(props.marked ?? null);
  return (
    <WindowTable<Call>
      label="Calls"
      columns={COLUMNS}
      listKey={JSON.stringify(sort)}
      load={async (ask) => {
        props.asked(ask);
        const first = ask.at === null ? ask.first : Math.max(0, ask.at - 100);
        const rows = Array.from({ length: Math.min(ask.count, props.total - first) }, (_, at) => ({
          index: sort?.descending ? props.total - 1 - first - at : first + at,
          name: HOSTILE,
        }));
        return { total: props.total, first, rows };
      }}
      keyOf={(row) => row.index}
      sort={sort}
      onSort={setSort}
      marked={marked}
      onMark={(row) => setMarked(row.index)}
      nothing="Nothing here."
      lost="Not in this list."
    />
  );
}

function firstCell(root: HTMLElement): string | null | undefined {
  return root.querySelector('[role="gridcell"]')?.textContent;
}

test("a hundred thousand rows are a few in the document, and names are text", async () => {
  const root = await draw(<Table total={100_000} asked={() => {}} />);
  await until(() => expect(firstCell(root)).toBe("0"));
  expect(root.querySelectorAll('[role="row"]').length).toBeLessThan(80);
  expect(root.querySelector('[role="grid"]')?.getAttribute("aria-rowcount")).toBe("100000");
  expect(root.querySelector("img")).toBeNull();
  expect(root.textContent).toContain(HOSTILE);
});

test("whoever gives the rows sorts them: largest first, then the other way, then as it was", async () => {
  const asked = vi.fn();
  const root = await draw(<Table total={1000} asked={asked} />);
  await until(() => expect(firstCell(root)).toBe("0"));
  const title = () => root.querySelector('[role="columnheader"] button');
  await click(title());
  await until(() => expect(firstCell(root)).toBe("999"));
  await click(title());
  await until(() => expect(firstCell(root)).toBe("0"));
  expect(root.querySelector('[aria-sort="ascending"]')).not.toBeNull();
  await click(title());
  await until(() => expect(root.querySelector("[aria-sort='ascending']")).toBeNull());
});

test("a click and Enter mark a row, arrows go from row to row", async () => {
  const root = await draw(<Table total={50} asked={() => {}} />);
  await until(() => expect(firstCell(root)).toBe("0"));
  const grid = root.querySelector('[role="grid"]');
  await press(grid, "ArrowDown");
  await press(grid, "ArrowDown");
  await press(grid, "Enter");
  expect(root.querySelector(".marked")?.textContent).toContain("2");
  await click(root.querySelectorAll(".row:not(.head)")[5]);
  expect(root.querySelector(".marked")?.textContent).toContain("5");
});

test("a marked row is asked for by its key, wherever it is", async () => {
  const asked = vi.fn();
  await draw(<Table total={100_000} marked={70_000} asked={asked} />);
  await until(() => expect(asked).toHaveBeenCalled());
  expect(asked.mock.calls[0]?.[0]).toMatchObject({ at: 70_000 });
});

test("a marked row that the list does not have is said to be missing", async () => {
  const root = await draw(<Table total={10} marked={70} asked={() => {}} />);
  await until(() => expect(root.textContent).toContain("Not in this list."));
});

test("without rows it says so", async () => {
  const root = await draw(<Table total={0} asked={() => {}} />);
  await until(() => expect(root.textContent).toContain("Nothing here."));
});
