// What the plot of a run is drawn from, on the page and in a picture.

import { timeApart } from "../../drawing/axis";
import type { PlotAxis, PointsInput } from "../../drawing/plot";
import { scaleAround } from "../../drawing/scale";
import type { Stretch } from "../../drawing/stretch";
import { timeUnit } from "../../format";
import type { Mode } from "../../theme/mode";
import { type Drawn, keysOf, pointsOf, wholeOf } from "./drawn";
import { lookOf } from "./looks";
import type { Sequenced } from "./sequences";
import { firstPeriod, stretchOf, type View } from "./view";

export const PLOT_HEIGHT = 320;

/** The scale of lengths that all runs share. */
export function lengthAxis(runs: readonly Sequenced[], isLog: boolean): PlotAxis {
  const ranges = runs.flatMap(({ sequence: { q_range, kv_range } }) => [q_range, kv_range]);
  return {
    ...scaleAround(
      ranges.filter((range) => range !== null),
      isLog,
    ),
    title: "sequence length (tokens)",
  };
}

/** The x axis of a stretch, with some air on either side; calls have half a place of it. */
export function xAxis(stretch: Stretch, view: View): PlotAxis {
  const [from, to] = stretch;
  if (view.along === "calls") {
    const room = Math.max(0.5, (to - from) * 0.006);
    return { from: from - room, to: to + room, isLog: false, title: "attention call" };
  }
  const unit = timeUnit([to]);
  const room = (to - from) * 0.006;
  return {
    from: from - room,
    to: to + room,
    isLog: false,
    title: "time since the first event",
    say: (value, distance) => timeApart(value, distance, unit),
  };
}

/** Everything but the size and the mark. */
export type Parts = Pick<
  PointsInput,
  "points" | "looks" | "bands" | "x" | "y" | "isJoined" | "mode"
>;

export function partsOf(run: Sequenced, drawn: Drawn, y: PlotAxis, view: View, mode: Mode): Parts {
  const { sequence } = run;
  const keys = keysOf([drawn]);
  const stretch = stretchOf(view.cut, sequence.period) ?? wholeOf(sequence, view.along);
  const period = view.along === "calls" && view.cut !== "period" && firstPeriod(sequence.period);
  return {
    points: pointsOf(drawn, view.along, keys),
    looks: keys.map((key) => lookOf(key, mode)),
    bands: period ? [[period[0] - 0.5, period[1] + 0.5]] : [],
    x: xAxis(stretch, view),
    y,
    isJoined: view.along === "calls",
    mode,
  };
}
