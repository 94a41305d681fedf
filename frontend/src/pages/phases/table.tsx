// The table of phases: a row for each phase of each run, with the reasons for it below.

import type { PhaseRow } from "../../api/phases";
import { ShareBar } from "../../components/ShareBar";
import type { Column } from "../../components/TreeTable";
import {
  count,
  exactDuration,
  exactPercent,
  inUnit,
  percent,
  shortenMiddle,
  threeDigits,
  timeUnit,
} from "../../format";
import type { Node } from "../../table/model";
import { inOrderOf, PHASE_ORDER, titleOf } from "../../theme/kinds";
import type { Phased } from "./phased";
import { paceOf } from "./words";

/** A phase of a run; a reason for it has only its number of calls. */
export interface TableRow {
  name: string;
  phase: string | null;
  row: PhaseRow | null;
  calls: number;
  /** Median time of a round, and whose rounds these are. */
  per_unit_ns: number | null;
  per_unit_of: string;
}

/** By phase, the runs beside each other within it. */
export function phaseNodes(runs: readonly Phased[]): Node<TableRow>[] {
  const words = runs.flatMap((run) => run.phases.phases.map((row) => row.phase ?? ""));
  // In the order in which they begin for one run, else in that of the vocabulary.
  const order = runs.length === 1 ? [...new Set(words)] : inOrderOf(PHASE_ORDER, words);
  return order.flatMap((word) =>
    runs.flatMap((run) => {
      const row = run.phases.phases.find((each) => (each.phase ?? "") === word);
      return row === undefined ? [] : [phaseNode(run, row, runs.length > 1)];
    }),
  );
}

function phaseNode(run: Phased, row: PhaseRow, isNamed: boolean): Node<TableRow> {
  const { phase, calls } = row;
  const pace = paceOf(run, phase);
  const title = titleOf(phase, "no phase");
  const name = isNamed ? `${title} · ${run.label}` : title;
  return {
    id: `${phase ?? ""} ${run.id}`,
    name,
    data: {
      name,
      phase,
      row,
      calls,
      per_unit_ns: pace?.median_ns ?? null,
      per_unit_of: pace ? `rounds of ${pace.component ?? "the model"}` : "",
    },
    children: Object.entries(row.reasons).map(([reason, times]) => ({
      id: reason,
      name: reason,
      data: { name: reason, phase, row: null, calls: times, per_unit_ns: null, per_unit_of: "" },
      children: [],
    })),
  };
}

/** Letters for which the empty cells between a reason and its calls have room. */
const REASON_LETTERS = 56;

/** A name where `letters` find room in its own cell. */
export function shortened({ name, row }: TableRow, letters: number): string {
  return shortenMiddle(name, row === null ? letters + REASON_LETTERS : letters);
}

const NOTHING = <span class="soft">–</span>;

/** Columns for rows of these runs, whose times share one unit. */
export function columnsOf(runs: readonly Phased[]): Column<TableRow>[] {
  const unit = timeUnit(runs.flatMap((run) => run.phases.phases.map((row) => row.sum_ns)));
  const medians = runs.flatMap((run) =>
    run.phases.phases.flatMap((row) => paceOf(run, row.phase)?.median_ns ?? []),
  );
  const paces = timeUnit(medians);

  const number = (
    id: string,
    title: string,
    hint: string,
    width: number,
    figureOf: (row: PhaseRow) => number | null,
    say: (value: number) => string,
    exactly: (value: number) => string,
  ): Column<TableRow> => ({
    id,
    title,
    hint,
    width,
    isNumber: true,
    value: ({ row }) => row && figureOf(row),
    show: ({ row }) => {
      const value = row && figureOf(row);
      return row === null ? "" : value === null ? NOTHING : say(value);
    },
    exact: ({ row }) => {
      const value = row && figureOf(row);
      return value === null ? "" : exactly(value);
    },
  });
  const share = (
    id: string,
    title: string,
    hint: string,
    figureOf: (row: PhaseRow) => number | null,
  ): Column<TableRow> => {
    const plain = number(id, title, hint, 92, figureOf, percent, exactPercent);
    return {
      ...plain,
      show: (data) => {
        const value = data.row && figureOf(data.row);
        return value === null ? (
          plain.show(data)
        ) : (
          <ShareBar share={value}>{percent(value)}</ShareBar>
        );
      },
    };
  };

  return [
    number(
      "sum_ns",
      `sum ${unit.name}`,
      "Durations of device events added up; CPU self time without a device",
      80,
      (row) => row.sum_ns,
      (ns) => inUnit(ns, unit),
      exactDuration,
    ),
    share("share", "share %", "Of the sum of all phases", (row) => row.share),
    share("attention_share", "attention %", "Of the phase's sum", (row) => row.attention_share),
    share(
      "device_busy_share",
      "busy %",
      "Part of the time of the phase's stretches in which the device works on it; – without a device or stretches",
      (row) => row.device_busy_share,
    ),
    {
      id: "calls",
      title: "calls",
      hint: "Attention calls",
      width: 64,
      isNumber: true,
      value: ({ calls }) => calls,
      show: ({ calls }) => count(calls),
    },
    number("rounds", "rounds", "Runs of a component", 68, (row) => row.rounds, count, count),
    number(
      "tokens",
      "tokens",
      "Query tokens of one layer, added over the rounds",
      80,
      (row) => row.tokens,
      count,
      count,
    ),
    {
      id: "per_unit_ns",
      title: medians.length > 0 ? `per round ${paces.name}` : "per round",
      hint: "Median time between the starts of neighbouring rounds: per token, per denoising step",
      width: 98,
      isNumber: true,
      value: ({ per_unit_ns }) => per_unit_ns,
      show: ({ row, per_unit_ns: ns }) =>
        row === null ? "" : ns === null ? NOTHING : inUnit(ns, paces),
      exact: ({ per_unit_ns: ns, per_unit_of: of }) =>
        ns === null ? "" : `${exactDuration(ns)}, ${of}`,
    },
    number(
      "intensity",
      "FLOP/byte",
      "Arithmetic intensity: FLOPs over bytes moved, of attention and products with known shapes",
      94,
      (row) => row.intensity,
      threeDigits,
      (value) => `${value} FLOP per byte`,
    ),
    number(
      "intensity_share",
      "of time %",
      "The part of the phase's time that the intensity is known of",
      90,
      (row) => row.intensity_share,
      percent,
      exactPercent,
    ),
  ];
}
