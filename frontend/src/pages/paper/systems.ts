// Figures 4 and 5, and 7 with Table II: what is cited, rooflines, operators and speedups.

import type { Cited, OperatorBar, Paper, RoofPanel, SettingPanels } from "../../api/paper";
import { apart } from "../../drawing/axis";
import type { Line, Look } from "../../drawing/plot";
import type { Scale } from "../../drawing/scale";
import { count, duration, exactDuration, factor, metric, percent, threeDigits } from "../../format";
import { inOrder, paintOf } from "../../theme/colors";
import type { Mode } from "../../theme/mode";
import { flops, flopsPerSecond } from "../spacetime/words";
import { ARCHITECTURES, CITED, lookOf, MEASURED, powersOf } from "./looks";
import { type BarRow, type Drawn, sorted, type Tip } from "./model";
import { titleOfModel } from "./words";

export function quality(cited: Cited, mode: Mode): Drawn {
  const known = cited.quality.filter((model) => model.parameters_b !== null);
  const kinds = ["diffusion", "transformer"];
  const made = sorted(
    known.map((model) => ({
      x: model.fid,
      y: model.parameters_b as number,
      look: kinds.indexOf(model.kind),
      name: model.model,
      tip: {
        title: model.model,
        of: `published: ${model.source}`,
        rows: [
          ["FID on COCO", `${model.fid}`],
          ["parameters", `${model.parameters_b} B`],
        ],
      } satisfies Tip,
    })),
  );
  const looks = kinds.map((kind) => lookOf(kind, "ring", mode));
  const x = { from: 0, to: Math.max(...known.map((model) => model.fid)) * 1.25, isLog: false };
  return {
    panels: [
      {
        kind: "xy",
        title: "As published",
        ...made,
        looks,
        lines: [],
        x: { ...x, title: "FID on COCO" },
        y: {
          ...powersOf(
            2,
            known.map((model) => model.parameters_b as number),
          ),
          title: "parameters, B",
        },
      },
    ],
    legend: kinds.map((name, at) => ({ name: `${name}, cited`, look: looks[at] as Look })),
    header: ["model", "kind", "fid", "parameters_b", "source"],
    rows: cited.quality.map((model) => [
      ...[model.model, model.kind, model.fid, model.parameters_b, model.source],
    ]),
  };
}

export function roofline(paper: Paper, panel: RoofPanel, mode: Mode): Drawn {
  const kinds = Object.keys(ARCHITECTURES);
  const kindOf = (name: string) => paper.models.find((model) => model.name === name)?.kind ?? "";
  const looks = [
    ...kinds.map((kind) => lookOf(kind, "barred", mode)),
    ...kinds.map((kind) => lookOf(kind, "filled", mode)),
  ];
  const rates = panel.points.flatMap((point) => point.flops_per_s ?? []);
  const plot = (of: "intensity" | "moved_intensity", title: string, axis: string) => {
    const points = panel.points.flatMap((point) => {
      const [x, y] = [point[of], point.flops_per_s];
      if (x === null || y === null || x <= 0 || y <= 0) return [];
      const name = titleOfModel(paper, point.model);
      const kind = Math.max(0, kinds.indexOf(kindOf(point.model)));
      const tip: Tip = {
        title: name,
        of: `${point.role ?? "one run"}: ${point.run}`,
        rows: [
          ["FLOPs a byte of parameters", threeDigits(point.intensity ?? 0)],
          ["FLOPs a byte moved", threeDigits(point.moved_intensity ?? 0)],
          ["rate", flopsPerSecond(y)],
          ["FLOPs", flops(point.flops), `${count(point.flops)} FLOP`],
          ["side of the ridge", point.placed ?? "not known"],
          ["limits most of the time", point.bound ?? "not known"],
        ],
      };
      const isFused = point.role === "fused";
      return [{ x, y, look: kind + (isFused ? kinds.length : 0), tip, name: isFused ? name : "" }];
    });
    const { lines, ends } = of === "moved_intensity" ? roof(panel, mode) : { lines: [], ends: [] };
    const x = powersOf(10, [...points.map((point) => point.x), ...ends]);
    return {
      kind: "xy" as const,
      title,
      ...sorted(points),
      looks,
      lines: lines.map((line) => line(x)),
      x: { ...x, title: axis },
      y: {
        ...powersOf(10, [...rates, ...(lines.length ? [panel.peak_flops_per_s ?? 0] : [])]),
        title: "FLOP/s",
        say: (value: number) => metric(value),
      },
    };
  };
  const panels =
    rates.length === 0
      ? []
      : [
          plot("intensity", "By parameters, as the paper counts", "FLOPs a byte of parameters"),
          plot("moved_intensity", "By bytes moved", "FLOPs a byte moved"),
        ].filter((each) => each.points.x.length > 0);
  return {
    panels,
    legend: [
      ...kinds.map((name) => ({ name, look: lookOf(name, "filled", mode) })),
      { name: "baseline", look: { color: CITED[mode], shape: "disc", inside: "barred" } },
      { name: "fused", look: { color: CITED[mode], shape: "disc", inside: "filled" } },
    ],
    header: [
      ...["model", "role", "run", "flops", "parameter_bytes", "intensity", "moved_intensity"],
      ...["flops_per_s", "placed", "bound"],
    ],
    rows: panel.points.map((point) => [
      ...[point.model, point.role, point.run, point.flops, point.parameter_bytes, point.intensity],
      ...[point.moved_intensity, point.flops_per_s, point.placed, point.bound],
    ]),
  };
}

/** The roof of the device, drawn over whatever the axis shows; and where it bends. */
function roof(panel: RoofPanel, mode: Mode) {
  const { peak_flops_per_s: peak, bandwidth_bytes_per_s: bandwidth, ridge } = panel;
  if (peak === null || bandwidth === null || ridge === null) return { lines: [], ends: [] };
  const line = ({ from, to }: Scale): Line => ({
    x: [from, ridge, to],
    y: [from * bandwidth, peak, peak],
    color: CITED[mode],
    isDashed: false,
  });
  return { lines: [line], ends: [ridge] };
}

export function operators(paper: Paper, { operators: panel }: SettingPanels): Drawn {
  const names = inOrder(panel.bars.flatMap((bar) => Object.keys(bar.shares)));
  const row = (bar: OperatorBar): BarRow => ({
    name: bar.role === "baseline" ? titleOfModel(paper, bar.model) : "",
    note: bar.role,
    end: bar.role === "fused" ? `${percent(bar.of_baseline)} %` : duration(bar.sum_ns),
    parts: names.map((name) => {
      const paint = paintOf(name);
      const ns = bar.times_ns[name] ?? 0;
      const value = bar.shares[name] ?? 0;
      return {
        value,
        color: paint.fill,
        outline: paint.outline,
        tip: {
          title: name,
          of: `${titleOfModel(paper, bar.model)}, ${bar.role}: ${bar.run}`,
          rows: [
            ["of the baseline's time", `${percent(value)} %`],
            ["time", duration(ns), exactDuration(ns)],
            ...(name === "Normalization"
              ? [["GroupNorm", duration(bar.group_norm_ns), exactDuration(bar.group_norm_ns)]]
              : []),
          ] as [string, string, string?][],
        },
      };
    }),
  });
  return {
    panels:
      panel.bars.length === 0
        ? []
        : [
            {
              kind: "bars",
              title: "Time of each model, of its baseline's",
              rows: panel.bars.map(row),
              axis: "% of the baseline's time",
              say: (value) => apart(value * 100, 1),
            },
          ],
    legend: names.map((name) => ({ name, look: null, fill: paintOf(name).fill })),
    header: ["model", "role", "run", "basis", "category", "time_ns", "of_baseline"],
    rows: panel.bars.flatMap((bar) =>
      inOrder(Object.keys(bar.times_ns)).map((name) => [
        ...[bar.model, bar.role, bar.run, bar.basis, name],
        ...[bar.times_ns[name] ?? 0, bar.shares[name] ?? 0],
      ]),
    ),
  };
}

export function speedups(paper: Paper, { speedups: panel }: SettingPanels, mode: Mode): Drawn {
  const { cited } = paper.figures;
  const models = paper.models.filter(
    ({ name }) => name in cited.speedups || panel.cells.some((cell) => cell.model === name),
  );
  const rows = models.flatMap(({ name, title }): BarRow[] => {
    const cell = panel.cells.find((each) => each.model === name);
    const stated = cited.speedups[name];
    const bar = (value: number, note: string, tip: Tip, isCited: boolean): BarRow => ({
      name: note === "here" || cell === undefined ? title : "",
      note,
      isCited,
      end: factor(value),
      parts: [{ value, color: isCited ? CITED[mode] : MEASURED, outline: null, tip }],
    });
    const range = cell && cell.low !== null && cell.high !== null ? [cell.low, cell.high] : null;
    return [
      ...(cell
        ? [
            bar(
              cell.speedup,
              "here",
              {
                title,
                of: `${cell.fused} against ${cell.baseline}`,
                rows: [
                  ["speedup", factor(cell.speedup), String(cell.speedup)],
                  ["of", cell.how],
                  ...(range && range[0] !== range[1]
                    ? [["repeats", `${factor(range[0] ?? 0)} to ${factor(range[1] ?? 0)}`]]
                    : []),
                ] as [string, string, string?][],
              },
              false,
            ),
          ]
        : []),
      ...(stated === undefined
        ? []
        : [
            bar(
              stated,
              "paper",
              { title, of: "as the paper states it", rows: [["speedup", `${stated}×`]] },
              true,
            ),
          ]),
    ];
  });
  return {
    panels: [
      {
        kind: "bars",
        title: "Baseline over fused, whole pipelines",
        rows,
        axis: "speedup",
        say: (value) => `${Number(value.toFixed(2))}×`,
        mark: 1,
      },
    ],
    legend: [
      { name: "measured here", look: null, fill: MEASURED },
      { name: "the paper's", look: null, fill: CITED[mode], isCited: true },
    ],
    header: ["model", "measured_speedup", "low", "high", "how", "paper_speedup"],
    rows: models.map(({ name }) => {
      const cell = panel.cells.find((each) => each.model === name);
      return [
        ...[name, cell?.speedup ?? null, cell?.low ?? null, cell?.high ?? null, cell?.how ?? null],
        cited.speedups[name] ?? null,
      ];
    }),
  };
}
