// What a figure is drawn from: small multiples of plots and of bars.

import type { Line, Look, PlotAxis, PointColumns } from "../../drawing/plot";

/** What is said of what one points at: name, value, exact value. */
export interface Tip {
  title: string;
  of: string;
  rows: readonly (readonly [string, string, string?])[];
}

export interface XyPanel {
  kind: "xy";
  title: string;
  points: PointColumns;
  looks: readonly Look[];
  lines: readonly Line[];
  isJoined?: boolean;
  x: PlotAxis;
  y: PlotAxis;
  tips: readonly Tip[];
  /** A word beside each point. */
  names?: readonly string[];
}

export interface Part {
  value: number;
  color: string;
  outline: string | null;
  tip: Tip;
}

export interface BarRow {
  /** Empty where it belongs to the row above. */
  name: string;
  note: string;
  /** The paper's value, drawn hatched. */
  isCited?: boolean;
  parts: readonly Part[];
  end: string;
}

export interface BarsPanel {
  kind: "bars";
  title: string;
  rows: readonly BarRow[];
  axis: string;
  say: (value: number) => string;
  /** A line across all bars. */
  mark?: number;
}

export type Panel = XyPanel | BarsPanel;

/** A word and its look, for the legend. */
export interface Entry {
  name: string;
  look: Look | null;
  /** Of a bar. */
  fill?: string;
  isCited?: boolean;
}

/** A figure: what is drawn, and the same as a table. */
export interface Drawn {
  panels: readonly Panel[];
  legend: readonly Entry[];
  header: readonly string[];
  rows: readonly (readonly (string | number | null)[])[];
}

/** Points in order of x, which plots need; all columns alike. */
export function sorted<T extends { x: number; y: number; look: number; tip: Tip; name?: string }>(
  points: readonly T[],
): { points: PointColumns; tips: Tip[]; names: string[] } {
  const order = points.toSorted((a, b) => a.x - b.x);
  return {
    points: {
      x: order.map((point) => point.x),
      y: order.map((point) => point.y),
      look: order.map((point) => point.look),
    },
    tips: order.map((point) => point.tip),
    names: order.map((point) => point.name ?? ""),
  };
}
