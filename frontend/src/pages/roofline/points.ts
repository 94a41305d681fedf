// What is drawn as points: ops, categories, components or phases, by either kind of intensity.

import type { Capacity, RoofFigures, Roofline, RoofOp } from "../../api/roofline";
import type { Of } from "../../components/Answered";
import type { State } from "../../state/url";
import { paintOf } from "../../theme/colors";
import { phaseColor, type Shape } from "../../theme/kinds";
import { CHART_COLORS, type Mode } from "../../theme/mode";

export type Roofed = Of<Roofline>;

/** A row of the table: an op, or a group of them. */
export type Row = RoofFigures & Partial<Pick<RoofOp, "shapes" | "dtype" | "category">>;

export type Level = "op" | "category" | "component" | "phase";

/** What is across: FLOPs over bytes moved, or over the bytes of the model's parameters. */
export type Across = "moved" | "capacity";

export const LEVELS: readonly { id: Level; title: string; hint: string }[] = [
  { id: "op", title: "Ops", hint: "All calls of an op with the same shapes" },
  { id: "category", title: "Categories", hint: "All ops of a category together" },
  { id: "component", title: "Components", hint: "Independently trained parts of the pipeline" },
  { id: "phase", title: "Phases", hint: "Prefill, decode, denoise, encode" },
];

/** What the page keeps in the link. */
export const BY = "roofline_by";
export const ACROSS = "roofline_x";
export const DEVICE = "roofline_device";
export const SORT = "roofline_sort";
export const MARKED = "roofline_row";

export function levelOf(state: State): Level {
  return LEVELS.find((level) => level.id === state.of[BY])?.id ?? "op";
}

/** Components alone have a capacity. */
export function acrossOf(state: State, runs: readonly Roofed[]): Across {
  const isKnown = runs.some((run) => run.data.capacity.length > 0);
  return isKnown && state.of[ACROSS] === "capacity" ? "capacity" : "moved";
}

export function rowsOf(data: Roofline, level: Level): readonly Row[] {
  if (level === "category") return data.categories;
  if (level === "component") return data.components;
  return level === "phase" ? data.phases : data.ops;
}

/** A row as a point: in the order of the table of its run. */
export interface Point {
  run: Roofed;
  row: Row;
  /** Place in the table of its run. */
  place: number;
  x: number;
  y: number;
  capacity: Capacity | null;
  shape: Shape;
  color: string;
  /** A line around fills that are too light to end visibly. */
  outline: string | null;
}

const SHAPES: readonly Shape[] = ["disc", "square", "diamond", "triangle"];

/** The shape of a run's points; beyond the fourth run they begin anew. */
export function shapeOf(place: number): Shape {
  return SHAPES[place % SHAPES.length] as Shape;
}

/** The points of all runs, most time first; what does no arithmetic has no place in the chart. */
export function pointsOf(
  runs: readonly Roofed[],
  level: Level,
  across: Across,
  mode: Mode,
): Point[] {
  const points = runs.flatMap((run, at) =>
    rowsOf(run.data, level).flatMap((row, place): Point[] => {
      const capacity = run.data.capacity.find((each) => each.component === row.name) ?? null;
      const x = across === "moved" ? row.intensity : (capacity?.intensity ?? null);
      const y = row.flops_per_s;
      if (!x || !y) return [];
      const look = lookOf(row, level, mode);
      return [{ run, row, place, x, y, capacity, shape: shapeOf(at), ...look }];
    }),
  );
  return points.toSorted((a, b) => b.row.time_ns - a.row.time_ns);
}

export function lookOf(
  row: Row,
  level: Level,
  mode: Mode,
): { color: string; outline: string | null } {
  if (level === "phase") return { color: phaseColor(row.name, mode), outline: null };
  if (level === "component") return { color: CHART_COLORS[mode].accent, outline: null };
  const { fill, outline } = paintOf(row.category ?? row.name);
  return { color: fill, outline };
}

/** Points that are in view: those of almost all of the time decide how far the axes reach. */
export const DECISIVE = 0.999;

export function decisive(points: readonly Point[]): readonly Point[] {
  const total = points.reduce((sum, point) => sum + point.row.time_ns, 0);
  let sum = 0;
  const end = points.findIndex((point) => {
    sum += point.row.time_ns;
    return sum >= DECISIVE * total;
  });
  return points.slice(0, end + 1);
}
