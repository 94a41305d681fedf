import { describe, expect, test } from "vitest";
import {
  keyOf,
  type Node,
  openableKeys,
  toNodes,
  treeByPath,
  type Value,
  visibleRows,
} from "../src/table/model";

interface Data {
  name: string;
  sum: number | null;
  children: Data[];
}

const leaf = (name: string, sum: number | null): Data => ({ name, sum, children: [] });

const TREE: Data[] = [
  { name: "Linear", sum: 5, children: [leaf("aten::mm", 3), leaf("aten::addmm", 2)] },
  {
    name: "Attention",
    sum: 9,
    children: [{ name: "aten::flash", sum: 9, children: [leaf("flash_fwd", 9)] }],
  },
  leaf("Other", null),
];

function nodes(rows: readonly Data[]): Node<Data>[] {
  return toNodes(
    rows,
    (row) => row.name,
    (row) => nodes(row.children),
  );
}

function names(query: {
  sort?: { column: string; descending: boolean };
  search?: string;
  open?: string[];
}): string[] {
  const rows = visibleRows(nodes(TREE), {
    sort: query.sort ?? null,
    search: query.search ?? "",
    open: new Set(query.open ?? []),
    valueOf: (column, row): Value => (column === "sum" ? row.sum : row.name),
  });
  return rows.map((row) => `${"  ".repeat(row.depth)}${row.node.name}`);
}

test("only what is open is shown, in the order given", () => {
  expect(names({})).toEqual(["Linear", "Attention", "Other"]);
  expect(names({ open: ["Linear"] })).toEqual([
    "Linear",
    "  aten::mm",
    "  aten::addmm",
    "Attention",
    "Other",
  ]);
});

describe("sorting", () => {
  test("orders every level and keeps children below their parent", () => {
    const sort = { column: "sum", descending: false };
    expect(names({ sort, open: ["Linear"] })).toEqual([
      "Linear",
      "  aten::addmm",
      "  aten::mm",
      "Attention",
      "Other",
    ]);
  });

  test.each([true, false])("puts the unknown last (descending: %s)", (descending) => {
    expect(names({ sort: { column: "sum", descending } }).at(-1)).toBe("Other");
  });

  test("text by alphabet", () => {
    expect(names({ sort: { column: "name", descending: true } })).toEqual([
      "Other",
      "Linear",
      "Attention",
    ]);
  });
});

describe("searching", () => {
  test("opens the way to what holds the words, whatever their case", () => {
    expect(names({ search: "FLASH_f" })).toEqual(["Attention", "  aten::flash", "    flash_fwd"]);
  });

  test("keeps all below what is found, closed until opened", () => {
    expect(names({ search: "linear" })).toEqual(["Linear"]);
    expect(names({ search: "linear", open: ["Linear"] })).toEqual([
      "Linear",
      "  aten::mm",
      "  aten::addmm",
    ]);
  });

  test("wants all words", () => {
    expect(names({ search: "aten add" })).toEqual(["Linear", "  aten::addmm"]);
    expect(names({ search: "aten nothing" })).toEqual([]);
  });
});

test("siblings of one name are different rows", () => {
  const twins = nodes([leaf("a", 1), leaf("a", 2)]);
  expect(new Set(twins.map((node) => node.id)).size).toBe(2);
  expect(twins.map((node) => node.name)).toEqual(["a", "a"]);
});

test("all that can be opened is known by its key", () => {
  expect(openableKeys(nodes(TREE))).toEqual([
    "Linear",
    "Attention",
    keyOf("Attention", "aten::flash"),
  ]);
});

describe("treeByPath", () => {
  const module = (path: string, name: string, depth: number) => ({ path, name, depth });

  test("finds each parent, in any order of the list", () => {
    const tree = treeByPath([
      module("unet/down_1/conv", "conv", 2),
      module("unet/down_1", "down_1", 1),
      module("unet", "unet", 0),
      module("unet/down_10", "down_10", 1),
      module("unet/down_10/conv", "conv", 2),
    ]);
    expect(tree.map((node) => node.name)).toEqual(["unet"]);
    const children = tree[0]?.children.map((node) => [node.name, node.children.length]);
    expect(children).toEqual([
      ["down_1", 1],
      ["down_10", 1],
    ]);
  });

  test("a module without a parent in the list is not lost", () => {
    const tree = treeByPath([module("unet", "unet", 0), module("vae/decoder/conv", "conv", 2)]);
    expect(tree.map((node) => node.data.path)).toEqual(["unet", "vae/decoder/conv"]);
  });
});
