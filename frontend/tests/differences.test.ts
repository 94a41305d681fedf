import { expect, test } from "vitest";
import {
  differenceColumns,
  differenceNodes,
  differencesCsv,
} from "../src/pages/operators/differences";
import { category, comparison, operators, row } from "./fixtures";

const RUN = operators({
  categories: [
    category("Convolution", 4_000_000),
    category("Attention", 2_000_000, [row("aten::flash", "op", 2_000_000)]),
  ],
});
const BASE = operators({
  categories: [
    category("Attention", 6_000_000, [row("aten::bmm", "op", 6_000_000)]),
    category("Convolution", 4_000_000),
  ],
});

function csv(comparable: boolean): string[] {
  const made = comparison();
  if (!comparable) for (const run of made.runs) run.differences = [];
  const lines = differencesCsv(RUN, { base: BASE, comparison: made, index: 1 }).trim().split("\n");
  return lines.map((line) => {
    const cells = line.trim().split(",");
    return [cells[1], cells.at(-2), cells.at(-1)].join(" | ");
  });
}

test("every row has the difference that the comparison gives", () => {
  expect(csv(true)).toEqual([
    "path | delta_ns | speedup",
    "Convolution | 0 | 1",
    "Attention | -4000000 | 3",
    "Attention > aten::flash | 2000000 | ",
    "Attention > aten::bmm | -6000000 | ",
  ]);
});

test("runs on different bases stand side by side without differences", () => {
  expect(csv(false).slice(1)).toEqual([
    "Convolution |  | ",
    "Attention |  | ",
    "Attention > aten::flash |  | ",
    "Attention > aten::bmm |  | ",
  ]);
});

test("what one of them lacks has a change and no speedup", () => {
  const against = { base: BASE, comparison: comparison(), index: 1 };
  const columns = differenceColumns(RUN, against);
  const shown = (pair: Parameters<(typeof columns)[number]["show"]>[0]) =>
    ["delta", "speedup"].map((id) => columns.find((column) => column.id === id)?.show(pair));
  const attention = differenceNodes(RUN, against).find((node) => node.name === "Attention");
  expect(attention?.children.map((node) => [node.name, ...shown(node.data)])).toEqual([
    ["aten::flash", "+2.00", "–"],
    ["aten::bmm", "−6.00", "–"],
  ]);
});
