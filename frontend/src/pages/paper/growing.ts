// Figures 8 to 10, 12 and 14: lengths, and what grows with images and videos.

import type { Paper, SettingPanels } from "../../api/paper";
import { apart } from "../../drawing/axis";
import type { Line, Look, PlotAxis } from "../../drawing/plot";
import { count, duration, exactDuration, factor, metric, percent, threeDigits } from "../../format";
import { paintOf } from "../../theme/colors";
import { axisColor, kindColor, kindShape, titleOf } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import { fitAt } from "../spacetime/sweep";
import { flops } from "../spacetime/words";
import { CITED, MEASURED, powersOf } from "./looks";
import { type BarRow, type Drawn, type Entry, sorted } from "./model";
import { titleOfModel } from "./words";

export function lengths(paper: Paper, { lengths: panel }: SettingPanels, mode: Mode): Drawn {
  const kinds = [...new Set(panel.series.flatMap((series) => series.kinds))];
  const looks = kinds.map(
    (kind): Look => ({ color: kindColor(kind, mode), shape: kindShape(kind), inside: "filled" }),
  );
  return {
    panels: panel.series.map((series) => {
      const title = titleOfModel(paper, series.model);
      const cut = series.grows
        ? "a call of each round"
        : series.period === null
          ? "all calls"
          : `period of ${series.period} calls`;
      const shape = series.shape === null ? "" : `${series.shape}, `;
      return {
        kind: "xy" as const,
        title: `${title}: ${shape}${cut}`,
        points: {
          x: series.places,
          y: series.lengths,
          look: series.kinds.map((kind) => kinds.indexOf(kind)),
        },
        looks,
        lines: [],
        isJoined: true,
        x: {
          from: series.places[0] ?? 0,
          to: Math.max((series.places.at(-1) ?? 0) + 0.5, 1),
          isLog: false,
          title: `call of ${series.component ?? "the model"}`,
        },
        y: {
          from: 0,
          to: Math.max(1, ...series.lengths) * 1.1,
          isLog: false,
          title: series.grows ? "keys" : "queries",
        },
        tips: series.places.map((place, at) => ({
          title,
          of: series.run,
          rows: [
            ["call", count(place)],
            [series.grows ? "keys" : "queries", count(series.lengths[at] ?? 0)],
            ["kind", titleOf(series.kinds[at] ?? null)],
            ["axis", titleOf(series.axes[at] ?? null)],
          ],
        })),
      };
    }),
    legend: kinds.map((kind, at) => ({ name: titleOf(kind), look: looks[at] as Look })),
    header: ["model", "run", "component", "call", "of", "length", "kind", "axis"],
    rows: panel.series.flatMap((series) =>
      series.places.map((place, at) => [
        ...[series.model, series.run, series.component, place, series.grows ? "keys" : "queries"],
        ...[series.lengths[at] ?? null, series.kinds[at] ?? null, series.axes[at] ?? null],
      ]),
    ),
  };
}

export function sizes(_: Paper, { sizes: panel }: SettingPanels): Drawn {
  return {
    panels: panel.sizes.map((size) => ({
      kind: "bars" as const,
      title: `${size.image_size} × ${size.image_size} pixels`,
      rows: size.lengths.map((length, at) => ({
        name: "",
        note: count(length),
        end: `${percent(size.shares[at] ?? 0)} %`,
        parts: [
          {
            value: size.calls[at] ?? 0,
            color: "#56B4E9",
            outline: "#0072B2",
            tip: {
              title: `length ${count(length)}`,
              of: size.run,
              rows: [
                ["calls", count(size.calls[at] ?? 0)],
                ["of all calls", `${percent(size.shares[at] ?? 0)} %`],
              ] as [string, string][],
            },
          },
        ],
      })),
      axis: "calls, by sequence length",
      say: (value: number) => apart(value, 1),
    })),
    legend: [],
    header: ["image_size", "run", "length", "calls", "share"],
    rows: panel.sizes.flatMap((size) =>
      size.lengths.map((length, at) => [
        ...[size.image_size, size.run, length, size.calls[at] ?? null, size.shares[at] ?? null],
      ]),
    ),
  };
}

const GROWING = [
  ["Attention", "attention_ns", "disc"],
  ["Convolution", "convolution_ns", "square"],
] as const;

export function growth(_: Paper, { growth: panel }: SettingPanels): Drawn {
  const times = panel.points.flatMap((point) => [point.attention_ns, point.convolution_ns]);
  const looks = GROWING.map(
    ([name, , shape]): Look => ({ color: paintOf(name).fill, shape, inside: "filled" }),
  );
  const y: PlotAxis = { ...powersOf(10, times), title: "time", say: (value) => duration(value) };
  const roles = [...new Set(panel.points.map((point) => point.role))];
  return {
    panels:
      panel.fits.length === 0
        ? []
        : roles.map((role) => {
            const points = panel.points.filter((point) => point.role === role);
            const powers = GROWING.flatMap(([name]) => {
              const fit = panel.fits.find((each) => each.role === role && each.category === name);
              return fit ? [`${name.toLowerCase()} ^${threeDigits(fit.exponent)}`] : [];
            });
            return {
              kind: "xy" as const,
              title: `${role}: ${powers.join(", ")}`,
              ...sorted(
                points.flatMap((point) =>
                  GROWING.map(([name, of], look) => ({
                    x: point.image_size,
                    y: point[of],
                    look,
                    tip: {
                      title: `${name}, ${role}`,
                      of: point.run,
                      rows: [
                        ["image", `${point.image_size} px`],
                        ["time", duration(point[of]), exactDuration(point[of])],
                      ] as [string, string, string?][],
                    },
                  })),
                ),
              ),
              looks,
              lines: GROWING.map(([name, of]) => ({
                x: points.map((point) => point.image_size),
                y: points.map((point) => point[of]),
                color: paintOf(name).fill,
                isDashed: false,
              })),
              x: {
                ...powersOf(
                  2,
                  points.map((point) => point.image_size),
                ),
                title: "pixels a side",
              },
              y,
            };
          }),
    legend: GROWING.map(([name], at) => ({ name, look: looks[at] as Look })),
    header: ["role", "run", "image_size", "attention_ns", "convolution_ns"],
    rows: panel.points.map((point) => [
      ...[point.role, point.run, point.image_size, point.attention_ns, point.convolution_ns],
    ]),
  };
}

export function axes(paper: Paper, { axes: panel }: SettingPanels, mode: Mode): Drawn {
  const { cited } = paper.figures;
  const names = ["spatial", "temporal"];
  const runs = [...new Set(panel.bars.map((bar) => bar.run))];
  const shares = (of: "time" | "flops", title: string) => ({
    kind: "bars" as const,
    title,
    rows: runs.map((run): BarRow => {
      const bars = panel.bars.filter((bar) => bar.run === run);
      const role = bars[0]?.role ?? "one run";
      const text = (bar: (typeof bars)[number]) =>
        of === "time" ? duration(bar.time_ns) : flops(bar.flops);
      return {
        name: "",
        note: role,
        end: "",
        parts: names.flatMap((axis) => {
          const bar = bars.find((each) => each.axis === axis);
          if (bar === undefined) return [];
          return {
            value: of === "time" ? bar.time_share : bar.flops_share,
            color: axisColor(axis, mode),
            outline: null,
            tip: {
              title: axis,
              of: `${role}${bar.attention ? `, ${bar.attention} attention` : ""}: ${run}`,
              rows: [
                ["time", duration(bar.time_ns), exactDuration(bar.time_ns)],
                ["FLOPs", flops(bar.flops), `${count(bar.flops)} FLOP`],
                ["calls", count(bar.calls)],
                [
                  "share",
                  `${percent(of === "time" ? bar.time_share : bar.flops_share)} %`,
                  text(bar),
                ],
              ] as [string, string, string?][],
            },
          };
        }),
      };
    }),
    axis: of === "time" ? "% of their time" : "% of their FLOPs",
    say: (value: number) => apart(value * 100, 1),
  });
  const ratio = (
    of: "temporal_over_spatial_time" | "spatial_over_temporal_flops",
    title: string,
  ) => {
    const stated = cited[of];
    const bar = (note: string, value: number, run: string, isCited: boolean): BarRow => ({
      name: "",
      note,
      isCited,
      end: factor(value),
      parts: [
        {
          value,
          color: isCited ? CITED[mode] : MEASURED,
          outline: null,
          tip: { title, of: run, rows: [["ratio", factor(value), String(value)]] },
        },
      ],
    });
    return {
      kind: "bars" as const,
      title,
      rows: [
        ...panel.ratios.flatMap((each) => {
          const value = each[of];
          return value === null ? [] : [bar(each.role ?? "one run", value, each.run, false)];
        }),
        ...(stated === null ? [] : [bar("paper", stated, "as the paper states it", true)]),
      ],
      axis: "ratio",
      say: (value: number) => `${Number(value.toFixed(2))}×`,
      mark: 1,
    };
  };
  const legend: Entry[] = [
    ...names.map((name) => ({ name, look: null, fill: axisColor(name, mode) })),
    { name: "ratio measured here", look: null, fill: MEASURED },
    { name: "the paper's", look: null, fill: CITED[mode], isCited: true },
  ];
  return {
    panels:
      panel.bars.length === 0
        ? []
        : [
            shares("time", "Time"),
            shares("flops", "FLOPs"),
            ratio("temporal_over_spatial_time", "Time, temporal over spatial"),
            ratio("spatial_over_temporal_flops", "FLOPs, spatial over temporal"),
          ],
    legend,
    header: [
      "run",
      "role",
      "attention",
      "axis",
      "calls",
      "time_ns",
      "time_share",
      "flops",
      "flops_share",
    ],
    rows: panel.bars.map((bar) => [
      ...[bar.run, bar.role, bar.attention, bar.axis, bar.calls, bar.time_ns, bar.time_share],
      ...[bar.flops, bar.flops_share],
    ]),
  };
}

export function frames(_: Paper, { frames: panel }: SettingPanels, mode: Mode): Drawn {
  const names = ["spatial", "temporal"];
  const looks = names.map(
    (axis, at): Look => ({
      color: axisColor(axis, mode),
      shape: at === 0 ? "disc" : "diamond",
      inside: "filled",
    }),
  );
  const all = panel.sizes.flatMap(({ sweep }) => sweep.points);
  return {
    panels: panel.sizes.map(({ image_size, sweep }) => {
      const found = sweep.crossovers.find((each) => each.of === "flops");
      const equal = found ? `: equal at ${threeDigits(found.frames)} frames` : "";
      const how = found && !found.measured ? ", predicted" : "";
      const seen = sweep.points.map((point) => point.frames);
      const x = powersOf(2, [...seen, ...(found ? [found.frames] : [])]);
      const lines = sweep.fits
        .filter((fit) => fit.of === "flops")
        .flatMap((fit): Line[] => {
          const ends = [Math.min(...seen), Math.max(...seen)] as const;
          const part = (from: number, to: number, isDashed: boolean): Line => ({
            x: [from, to],
            y: [from, to].map((at) => fitAt(fit, at) ?? Number.NaN),
            color: axisColor(fit.axis, mode),
            isDashed,
          });
          return [part(ends[0], ends[1], false), part(ends[1], x.to, true)];
        });
      return {
        kind: "xy" as const,
        title: `${image_size} × ${image_size} pixels${equal}${how}`,
        ...sorted(
          sweep.points.map((point) => ({
            x: point.frames,
            y: point.flops,
            look: Math.max(0, names.indexOf(point.axis)),
            tip: {
              title: point.axis,
              of: point.run,
              rows: [
                ["frames", count(point.frames)],
                ["FLOPs", flops(point.flops), `${count(point.flops)} FLOP`],
                ["calls", count(point.calls)],
              ] as [string, string, string?][],
            },
          })),
        ),
        looks,
        lines,
        x: { ...x, title: "frames" },
        y: {
          ...powersOf(
            10,
            all.map((point) => point.flops),
          ),
          title: "FLOPs of attention",
          say: (value: number) => metric(value),
        },
      };
    }),
    legend: names.map((name, at) => ({ name, look: looks[at] as Look })),
    header: ["image_size", "run", "frames", "axis", "flops", "time_ns", "calls"],
    rows: panel.sizes.flatMap(({ image_size, sweep }) =>
      sweep.points.map((point) => [
        ...[image_size, point.run, point.frames, point.axis, point.flops, point.time_ns],
        point.calls,
      ]),
    ),
  };
}
