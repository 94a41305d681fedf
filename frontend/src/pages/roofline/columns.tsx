// The columns of the table: what each op reaches, and what could be saved.

import type { Roofline } from "../../api/roofline";
import { ShareBar } from "../../components/ShareBar";
import {
  bytes,
  count,
  exactDuration,
  exactPercent,
  flopCount,
  flopRate,
  inUnit,
  percent,
  threeDigits,
  timeUnit,
} from "../../format";
import type { WindowColumn } from "../../table/WindowTable";
import type { Mode } from "../../theme/mode";
import { type Level, lookOf, type Row } from "./points";
import { BOUNDS, nameOf } from "./words";

const UNKNOWN = "–";

export type Listed = Row & { place: number };

type Field = "intensity" | "flops_per_s" | "bytes_per_s" | "flops" | "moved_bytes" | "calls";

function number(
  id: Field,
  title: string,
  hint: string,
  width: number,
  say: (value: number) => string,
): WindowColumn<Listed> {
  return {
    id,
    title,
    hint,
    width,
    isNumber: true,
    show: (row) => (row[id] === null ? UNKNOWN : say(row[id])),
    exact: (row) => (row[id] === null ? "" : count(row[id])),
  };
}

export function columnsOf(data: Roofline, level: Level, mode: Mode): WindowColumn<Listed>[] {
  // By the mean: one slow op would leave the others without digits.
  const unit = timeUnit([data.whole.time_ns / Math.max(1, data.ops.length) ** 0.5]);
  const time = (
    id: "time_ns" | "saving_ns",
    title: string,
    hint: string,
  ): WindowColumn<Listed> => ({
    id,
    title: `${title} ${unit.name}`,
    hint,
    width: 112,
    isNumber: true,
    show: (row) => (row[id] === null ? UNKNOWN : inUnit(row[id], unit)),
    exact: (row) => (row[id] === null ? "" : exactDuration(row[id])),
  });
  const part = (
    id: "efficiency" | "covered",
    title: string,
    hint: string,
  ): WindowColumn<Listed> => ({
    id,
    title,
    hint,
    width: 104,
    isNumber: true,
    show: (row) => {
      const value = row[id];
      return value === null ? UNKNOWN : <ShareBar share={value}>{percent(value)}</ShareBar>;
    },
    exact: (row) => (row[id] === null ? "" : exactPercent(row[id])),
  });
  const word = (
    id: "dtype" | "shapes" | "category",
    hint: string,
    width: number,
    grows = false,
  ): WindowColumn<Listed> => ({
    id,
    title: id,
    hint,
    width,
    grows,
    isNumber: false,
    show: (row) => row[id] ?? UNKNOWN,
    exact: (row) => row[id] ?? "",
  });
  const name: WindowColumn<Listed> = {
    id: "name",
    title: level,
    hint: level === "op" ? "All calls with the same shapes" : "All of its ops together",
    width: 230,
    grows: true,
    isNumber: false,
    show: (row) => {
      const { color, outline } = lookOf(row, level, mode);
      return (
        <>
          <i class="swatch" style={{ background: color, borderColor: outline ?? color }} />
          {nameOf(row, window.innerWidth >= 1700 ? 64 : 30)}
        </>
      );
    },
    exact: (row) => row.name,
  };
  const bound: WindowColumn<Listed> = {
    id: "bound",
    title: "bound by",
    hint: "What limits most of its time",
    width: 86,
    isNumber: false,
    show: (row) => row.bound ?? UNKNOWN,
    exact: (row) => (row.bound === null ? "" : BOUNDS[row.bound]),
  };
  const rated =
    data.device === null
      ? []
      : [
          time("saving_ns", "above roof", "Time above what the rates allow: what could be saved"),
          part("efficiency", "of roof %", "Time that the rates allow, over the time it took"),
          bound,
        ];
  const ofOp = level === "op";
  return [
    name,
    ...(ofOp ? [word("category", "What it counts as", 104)] : []),
    ...rated,
    time("time_ns", "time", "Of the calls whose FLOPs and bytes are known"),
    number("flops_per_s", "reached", "FLOPs over time", 104, flopRate),
    number("bytes_per_s", "traffic", "Bytes moved over time", 92, (value) => `${bytes(value)}/s`),
    number("intensity", "FLOPs/byte", "FLOPs over bytes moved", 98, threeDigits),
    number("calls", "calls", "Of the op", 70, count),
    number("flops", "FLOPs", "Of all calls", 96, flopCount),
    number("moved_bytes", "moved", "Operands and results, each once", 82, bytes),
    ...(ofOp
      ? [word("dtype", "Of its operands", 84), word("shapes", "As recorded", 220, true)]
      : [part("covered", "known %", "Part of its whole time that these figures are of")]),
  ];
}
