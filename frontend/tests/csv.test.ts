import { expect, test } from "vitest";
import { toCsv } from "../src/csv";
import { comparisonCsv, modulesCsv, operatorsCsv } from "../src/pages/operators/export";
import { category, comparison, figures, operators, row } from "./fixtures";

test("cells with commas, quotes and line ends are quoted, nulls are empty", () => {
  expect(
    toCsv(
      ["a", "b"],
      [
        ['void f<int, 4>("x")', null],
        ["two\nlines", 0.1],
      ],
    ),
  ).toBe('a,b\r\n"void f<int, 4>(""x"")",\r\n"two\nlines",0.1\r\n');
});

test.each(["=HYPERLINK(1)", "+1", "-1", "@x"])("%s is no formula to a spreadsheet", (text) => {
  expect(toCsv(["a"], [[text]])).toContain(`'${text}`);
});

test("a negative number stays a number", () => {
  expect(toCsv(["a"], [[-5]])).toBe("a\r\n-5\r\n");
});

test("the comparison has every figure as the route gave it", () => {
  const lines = comparisonCsv(comparison()).trim().split("\r\n");
  expect(lines[0]).toBe("run,basis,category,sum_ns,unlinked_ns,share,relative,delta_ns,speedup");
  expect(lines).toHaveLength(5);
  expect(lines[3]).toBe("fused,device,Attention,2000000,0,0.3333333333333333,0.2,-4000000,3");
});

test("the drill-down has a line for each row with the names of those above it", () => {
  const lines = operatorsCsv(
    operators({
      categories: [
        category("Normalization", 3, [
          {
            ...row("GroupNorm", "category", 3, [
              row("aten::group_norm", "op", 3, [row("k", "kernel", 3)]),
            ]),
            rule: null,
          },
        ]),
      ],
    }),
  )
    .trim()
    .split("\r\n");
  expect(lines[0]?.startsWith("level,category,sub_category,op,kernel,rule,sum_ns,busy_ns")).toBe(
    true,
  );
  expect(lines.slice(1).map((line) => line.split(",").slice(0, 7).join(","))).toEqual([
    "category,Normalization,,,,,3",
    "sub_category,Normalization,GroupNorm,,,,3",
    "op,Normalization,GroupNorm,aten::group_norm,,op aten::group_norm,3",
    "kernel,Normalization,GroupNorm,aten::group_norm,k,op k,3",
  ]);
});

test("modules have a column for each category that occurs", () => {
  const module = { ...figures(5), path: "unet", name: "unet", depth: 0, self_ns: 1 };
  const lines = modulesCsv([
    { ...module, categories: { Linear: 5 } },
    { ...module, path: "vae", name: "vae", categories: { Attention: 2, Linear: 3 } },
  ]).split("\r\n");
  expect(lines[0]?.endsWith("Attention_ns,Linear_ns")).toBe(true);
  expect(lines[1]?.endsWith(",0,5")).toBe(true);
  expect(lines[2]?.endsWith(",2,3")).toBe(true);
});
