import { describe, expect, test } from "vitest";
import {
  bytes,
  duration,
  exactDuration,
  factor,
  inUnit,
  percent,
  shortenMiddle,
  threeDigits,
  timeUnit,
} from "../src/format";

describe("threeDigits", () => {
  test.each([
    [0, "0"],
    [1.234, "1.23"],
    [12.34, "12.3"],
    [123.4, "123"],
    [9.996, "10.0"],
    [99.96, "100"],
    [999.6, "1,000"],
    [12345, "12,300"],
    [0.01234, "0.0123"],
    [0.00001, "<0.0001"],
    [-1.234, "−1.23"],
  ])("%d reads %s", (value, text) => {
    expect(threeDigits(value)).toBe(text);
  });
});

test("a column has one unit, that of its largest value", () => {
  const values = [1_234_567, 45_612, 0];
  const unit = timeUnit(values);
  expect(unit.name).toBe("ms");
  expect(values.map((value) => inUnit(value, unit))).toEqual(["1.23", "0.0456", "0"]);
});

test.each([
  [999, "999 ns"],
  [999_600, "1.00 ms"],
  [45_612_345, "45.6 ms"],
  [1_213_000_000, "1.21 s"],
  [0, "0 s"],
])("%d ns reads %s", (ns, text) => {
  expect(duration(ns)).toBe(text);
});

test("the exact value keeps every digit", () => {
  expect(exactDuration(45_612_345)).toBe("45,612,345 ns");
});

test("shares, factors and sizes carry their unit", () => {
  expect(percent(0.54321)).toBe("54.3");
  expect(factor(2.3111)).toBe("2.31×");
  expect(bytes(62_422_530)).toBe("62.4 MB");
  expect(bytes(19)).toBe("19 B");
});

describe("shortenMiddle", () => {
  test("leaves what fits", () => {
    expect(shortenMiddle("aten::mm", 8)).toBe("aten::mm");
  });

  test("keeps both ends and the limit", () => {
    const short = shortenMiddle("void_flash_fwd_kernel_hdim128_bf16_sm90", 20);
    expect(short).toBe("void_flash_f…16_sm90");
    expect(short).toHaveLength(20);
  });

  test("does not cut a letter in half", () => {
    expect(shortenMiddle("😀😀😀😀😀😀", 4)).toBe("😀😀…😀");
    expect(shortenMiddle(`a${"😀".repeat(50)}b`, 5)).toBe("a😀😀…b");
    expect(shortenMiddle("😀".repeat(4), 4)).toBe("😀".repeat(4));
  });
});
