// The stacked bars as an ECharts option: a bar a run, normalised to the base or in time.

import type { EChartsCoreOption } from "echarts/core";
import type { CategoryBar, Comparison, RunBar } from "../../api/types";
import { duration, factor, percent, shortenMiddle, timeUnit } from "../../format";
import type { Scale } from "../../state/url";
import { inOrder, paintOf } from "../../theme/colors";
import { CHART_COLORS, type Mode } from "../../theme/mode";

/** What the pointer is on: one category of one run. */
export interface Segment {
  run: RunBar;
  bar: CategoryBar;
}

export interface BarsInput {
  comparison: Comparison;
  scale: Scale;
  mode: Mode;
  /** Pixels of the whole chart. */
  width: number;
}

const FONT = "Roboto, system-ui, sans-serif";
const MARGIN = 12;
/** Name of the series that only carries the text behind each bar. */
const TOTAL = "total";
const BAR_HEIGHT = 26;
const STEP = 40;
const FOOT = 44;
const TOP = 8;
const LABEL_LETTERS = 30;
/** Mean width of a letter at 12 px. */
const LETTER = 6.8;
const TOTAL_WIDTH = 150;
/** Narrower parts of a bar carry no text. */
const TEXT_MIN = 44;

/** Dots over the part whose device events have no launch in the trace. */
const DOTS = {
  symbol: "circle",
  symbolSize: 0.7,
  color: "rgba(0, 0, 0, 0.55)",
  dashArrayX: [
    [4, 4],
    [0, 4, 4, 0],
  ],
  dashArrayY: [4, 0],
};

/** Pixels that `runs` bars take. */
export function barsHeight(runs: number): number {
  return TOP + runs * STEP + FOOT;
}

/** What is drawn: relative to the base where the base has any time, else time. */
export function drawnScale(comparison: Comparison, scale: Scale): Scale {
  return comparison.runs.every((run) => run.relative !== null) ? scale : "absolute";
}

/** The segment that a series and a bar of the option stand for. */
export function segmentAt(comparison: Comparison, series: string, index: number): Segment | null {
  const run = comparison.runs[index];
  const bar = run?.categories.find((each) => each.category === series);
  return run && bar ? { run, bar } : null;
}

/** The option for ECharts. Every text in it is drawn on a canvas, none becomes HTML. */
export function barsOption(input: BarsInput): EChartsCoreOption {
  const { comparison, mode, width } = input;
  const { runs } = comparison;
  const scale = drawnScale(comparison, input.scale);
  const unit = timeUnit(runs.map((run) => run.basis_sum_ns));
  const colors = CHART_COLORS[mode];
  const lengthOf = (run: RunBar) =>
    scale === "relative" ? (run.relative ?? 0) : run.basis_sum_ns / unit.ns;
  const longest = Math.max(...runs.map(lengthOf), 0);
  const runLabels = runs.map((run) => shortenMiddle(run.run, LABEL_LETTERS));
  const left = 20 + LETTER * Math.max(...runLabels.map((label) => label.length));
  const pixels = Math.max(100, width - left - TOTAL_WIDTH) / (longest || 1);
  const names = inOrder(runs.flatMap((run) => run.categories.map((bar) => bar.category)));

  const parts = names.flatMap((name) => {
    const paint = paintOf(name);
    const bars = runs.map((run) => run.categories.find((bar) => bar.category === name));
    const common = {
      name,
      type: "bar",
      stack: "time",
      barWidth: BAR_HEIGHT,
      cursor: "pointer",
      emphasis: { focus: "none" },
    };
    const style = {
      color: paint.fill,
      borderColor: paint.outline ?? colors.background,
      borderWidth: paint.outline ? 1 : 0.5,
    };
    // A bar's length is split by the API's own two figures; nothing is counted here.
    const split = bars.map((bar, at) => splitLength(bar, runs[at], scale, unit.ns));
    const linked = {
      ...common,
      itemStyle: style,
      data: split.map((length) => length.linked),
      label: {
        show: true,
        color: paint.text,
        fontSize: 11,
        formatter: ({ dataIndex }: { dataIndex: number }) => {
          const bar = bars[dataIndex];
          const isWide = (split[dataIndex]?.linked ?? 0) * pixels >= TEXT_MIN;
          return bar && isWide ? `${percent(bar.share)} %` : "";
        },
      },
    };
    if (split.every((length) => length.unlinked === 0)) return [linked];
    return [
      linked,
      {
        ...common,
        itemStyle: { ...style, decal: DOTS },
        data: split.map((length) => length.unlinked),
      },
    ];
  });

  return {
    animationDuration: 250,
    textStyle: { fontFamily: FONT },
    grid: { left, right: TOTAL_WIDTH, top: TOP, bottom: FOOT, containLabel: false },
    xAxis: {
      type: "value",
      max: longest || 1,
      name: scale === "relative" ? `relative to ${shortenMiddle(comparison.base, 40)}` : unit.name,
      nameLocation: "middle",
      nameGap: 26,
      nameTextStyle: { color: colors.soft, fontSize: 11 },
      axisLabel: { color: colors.soft, fontSize: 11, showMaxLabel: longest === 1 },
      splitLine: { lineStyle: { color: colors.line } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: runs.map((_, index) => String(index)),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colors.soft } },
      axisLabel: {
        color: colors.text,
        fontSize: 12,
        formatter: (index: string) => runLabels[Number(index)] ?? "",
      },
    },
    series: [
      ...parts,
      {
        name: TOTAL,
        type: "bar",
        stack: "time",
        silent: true,
        data: runs.map(() => 0),
        label: {
          show: true,
          position: "right",
          color: colors.text,
          fontSize: 12,
          formatter: ({ dataIndex }: { dataIndex: number }) => total(runs[dataIndex], dataIndex),
        },
      },
    ],
  };
}

function splitLength(
  bar: CategoryBar | undefined,
  run: RunBar | undefined,
  scale: Scale,
  unit_ns: number,
): { linked: number; unlinked: number } {
  if (bar === undefined || run === undefined || bar.sum_ns === 0) return { linked: 0, unlinked: 0 };
  const length = scale === "relative" ? (bar.relative ?? 0) : bar.sum_ns / unit_ns;
  const unlinked = length * (bar.unlinked_ns / bar.sum_ns);
  return { linked: length - unlinked, unlinked };
}

function total(run: RunBar | undefined, index: number): string {
  if (run === undefined) return "";
  const time = duration(run.basis_sum_ns);
  if (index === 0 || run.relative === null) return time;
  return `${time}, ${factor(run.relative)}`;
}

/** A picture of the bars to keep. */
export interface Picture {
  option: EChartsCoreOption;
  height: number;
}

/** The same figure with title, legend and caption drawn in. */
export function barsPicture(input: BarsInput, title: string, caption: string): Picture {
  const colors = CHART_COLORS[input.mode];
  const option = barsOption(input);
  const room = input.width - 2 * MARGIN;
  const titleHeight = 20 * Math.ceil((title.length * 7.6) / room);
  const captionHeight = 14 * Math.ceil((caption.length * 5.4) / room);
  const legendTop = MARGIN + titleHeight + 6;
  const top = legendTop + 32;
  const bottom = FOOT + captionHeight + MARGIN;
  const text = (value: string, place: object, style: object) => ({
    text: value,
    left: MARGIN,
    padding: 0,
    ...place,
    textStyle: { fontFamily: FONT, fontWeight: "normal", width: room, overflow: "break", ...style },
  });
  return {
    height: top + input.comparison.runs.length * STEP + bottom,
    option: {
      ...option,
      animation: false,
      backgroundColor: colors.background,
      title: [
        text(title, { top: MARGIN }, { color: colors.text, fontSize: 15, lineHeight: 20 }),
        text(caption, { bottom: MARGIN }, { color: colors.soft, fontSize: 11, lineHeight: 14 }),
      ],
      legend: {
        top: legendTop,
        left: MARGIN - 5,
        itemWidth: 12,
        itemHeight: 12,
        textStyle: { color: colors.text, fontFamily: FONT },
        data: (option.series as { name: string }[])
          .map((series) => series.name)
          .filter((name) => name !== TOTAL),
      },
      grid: { ...(option.grid as object), top, bottom },
    },
  };
}
