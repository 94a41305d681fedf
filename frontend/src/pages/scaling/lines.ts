// From a sweep to the lines of its chart: points, laws, and where they cross.

import type {
  Amount,
  Group,
  Metric,
  ScalingCrossover,
  ScalingFit,
  ScalingLine,
  ScalingPoint,
  ScalingSweep,
} from "../../api/scaling";
import { type LawSeries, lawAt, type Meeting, type PowerLaw } from "../../drawing/powerlaws";
import { inOrder, paintOf } from "../../theme/colors";
import {
  AXIS_ORDER,
  axisColor,
  inOrderOf,
  KIND_ORDER,
  kindColor,
  type Shape,
} from "../../theme/kinds";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { lineName } from "./words";

/** A category with less of the whole than this is left out of the chart at first. */
const LITTLE = 0.02;

const SHAPES: readonly Shape[] = ["disc", "square", "diamond", "triangle"];

/** Of components, which have no colours of their own. */
const TONES = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C564B"];

/** Too pale for a line on white. */
const ON_LIGHT: Readonly<Record<string, string>> = { Other: "#8a8a8a", Unlinked: "#6f6f6f" };

/** A line of the chart and what it stands for. */
export interface SweptSeries extends LawSeries {
  line: ScalingLine;
  /** Its name without the line's. */
  of: string;
  runs: readonly ScalingPoint[];
}

/** The figure of `metric` of a part of a run; null where it is not known. */
export function figureOf(
  point: ScalingPoint,
  metric: Metric,
  { group, name, component }: Pick<Amount, "group" | "name" | "component">,
): number | null {
  if (metric === "largest_score_bytes" || metric === "peak_memory_bytes") {
    return group === "total" ? point[metric] : null;
  }
  const found = point.amounts.find(
    (each) => each.group === group && each.name === name && each.component === component,
  );
  return found?.[metric] ?? null;
}

/** The parts of a group that any run has, each once, in the order of charts. */
export function namesOf(sweep: ScalingSweep, group: Group): string[] {
  const names = sweep.lines.flatMap((line) =>
    line.points.flatMap((point) =>
      point.amounts
        .filter((each) => each.group === group && each.component === null)
        .map((each) => each.name),
    ),
  );
  if (group === "category") return inOrder(names);
  if (group === "kind") return inOrderOf(KIND_ORDER, names);
  if (group === "axis") return inOrderOf(AXIS_ORDER, names);
  return [...new Set(names)];
}

export function colorOf(group: Group, name: string, at: number, mode: Mode): string {
  if (group === "kind") return kindColor(name, mode);
  if (group === "axis") return axisColor(name, mode);
  if (group === "component") return TONES[at % TONES.length] as string;
  if (group === "total") return CHART_COLORS[mode].text;
  const { fill, outline } = paintOf(name);
  return mode === "light" ? (ON_LIGHT[name] ?? outline ?? fill) : fill;
}

export function fitOf(
  line: ScalingLine,
  metric: Metric,
  group: Group,
  name: string,
): ScalingFit | null {
  return (
    line.fits.find(
      (fit) =>
        fit.metric === metric && fit.group === group && fit.name === name && fit.component === null,
    ) ?? null
  );
}

/** The law of a fit; between two values it is the line that joins them. */
export function lawsOf(fit: ScalingFit | null): PowerLaw[] {
  const exponent = fit?.exponent ?? fit?.slope ?? null;
  const factor = fit?.factor ?? null;
  return exponent === null || factor === null ? [] : [{ exponent, factor }];
}

/** A series for each part and line of which any figure is above 0. */
export function seriesOf(
  sweep: ScalingSweep,
  metric: Metric,
  group: Group,
  mode: Mode,
): SweptSeries[] {
  const places = { baseline: 0, fused: 0 };
  const lines = sweep.lines.map((line) => {
    const at = places[line.role];
    places[line.role] += 1;
    return { line, shape: SHAPES[at % SHAPES.length] as Shape };
  });
  return namesOf(sweep, group).flatMap((name, at) =>
    lines.flatMap(({ line, shape }): SweptSeries[] => {
      const runs = line.points.filter(
        (point) => (figureOf(point, metric, { group, name, component: null }) ?? 0) > 0,
      );
      if (runs.length === 0) return [];
      return [
        {
          name: sweep.lines.length > 1 ? `${name}, ${lineName(line)}` : name,
          color: colorOf(group, name, at, mode),
          shape,
          inside: line.role === "fused" ? "ring" : "filled",
          isDashed: line.role === "fused",
          points: runs.map((point) => ({
            x: point.value,
            y: figureOf(point, metric, { group, name, component: null }) ?? 0,
          })),
          laws: lawsOf(fitOf(line, metric, group, name)),
          line,
          of: name,
          runs,
        },
      ];
    }),
  );
}

/** What is left out until somebody asks for it: parts that are little of every run. */
export function littleOf(sweep: ScalingSweep, metric: Metric, group: Group): string[] {
  if (group !== "category") return [];
  return namesOf(sweep, group).filter((name) => {
    const shares = sweep.lines.flatMap((line) => fitOf(line, metric, group, name)?.share ?? []);
    return shares.length > 0 && shares.every((share) => share < LITTLE);
  });
}

/** Whether a metric was fitted for the parts of a group. */
export function isFitted(sweep: ScalingSweep, metric: Metric, group: Group): boolean {
  return sweep.lines.some((line) =>
    line.fits.some((fit) => fit.metric === metric && fit.group === group),
  );
}

/** What the page is about: where these cross is said before all else. */
const MAIN: ReadonlySet<string> = new Set(["Attention", "Convolution"]);

/** The crossovers of what is shown, each where its curves meet. */
export function meetingsOf(
  sweep: ScalingSweep,
  metric: Metric,
  group: Group,
  shown: readonly SweptSeries[],
): Meeting[] {
  const isMain = ({ upper, lower }: ScalingCrossover) => MAIN.has(upper) && MAIN.has(lower);
  return sweep.lines
    .flatMap((line) => line.crossovers.map((each) => ({ line, each })))
    .filter(({ each }) => each.metric === metric && each.group === group && each.component === null)
    .sort((a, b) => Number(isMain(b.each)) - Number(isMain(a.each)))
    .flatMap(({ line, each }): Meeting[] => {
      const of = (name: string) =>
        shown.find((series) => series.line === line && series.of === name);
      const [upper, lower] = [of(each.upper), of(each.lower)];
      const y = upper && lower ? heightOf(each, upper) : null;
      if (y === null || upper === undefined) return [];
      const suffix = sweep.lines.length > 1 ? `, ${lineName(line)}` : "";
      return [
        {
          x: each.value,
          y,
          text: `${each.upper} > ${each.lower}${suffix}${each.measured ? "" : ", predicted"}`,
          color: upper.color,
          isPredicted: !each.measured,
        },
      ];
    });
}

/** Measured: on the straight line between the two points around it; else on the law. */
function heightOf(crossover: ScalingCrossover, series: SweptSeries): number | null {
  const { between, value } = crossover;
  const [law] = series.laws;
  if (between === null) return law === undefined ? null : lawAt(law, value);
  const meanAt = (x: number) => {
    const found = series.points.filter((point) => point.x === x && point.y > 0);
    if (found.length === 0) return null;
    return found.reduce((sum, point) => sum + Math.log(point.y), 0) / found.length;
  };
  const [low, high] = [meanAt(between[0]), meanAt(between[1])];
  if (low === null || high === null) return null;
  const part = Math.log(value / between[0]) / Math.log(between[1] / between[0]);
  return Math.exp(low + part * (high - low));
}

/** The fits of what is in view, and of the components' kinds and axes behind them. */
export function fitsOf(
  sweep: ScalingSweep,
  metric: Metric,
  group: Group,
): { line: ScalingLine; fit: ScalingFit }[] {
  const order = namesOf(sweep, group);
  return sweep.lines
    .flatMap((line) =>
      line.fits
        .filter((fit) => fit.metric === metric && fit.group === group)
        .map((fit) => ({ line, fit })),
    )
    .sort(
      (a, b) =>
        (a.fit.component ?? "").localeCompare(b.fit.component ?? "") ||
        order.indexOf(a.fit.name) - order.indexOf(b.fit.name),
    );
}
