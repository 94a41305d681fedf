// Where the device of a run waits: its idle time by cause, and its largest gaps.

import { useMemo, useRef } from "preact/hooks";
import type { Gap, Overview } from "../../api/types";
import { downloadCsv, fileName } from "../../browser";
import { RunChoice, SaveButtons, TreeControls, treeState } from "../../components/panel";
import { ShareBar } from "../../components/ShareBar";
import { ToTrace } from "../../components/ToTrace";
import { type Column, TreeTable } from "../../components/TreeTable";
import {
  count,
  duration,
  exactDuration,
  exactPercent,
  inUnit,
  percent,
  shortenMiddle,
  timeUnit,
} from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import { type Node, openableKeys, toNodes } from "../../table/model";
import { showInPerfetto } from "../trace/link";
import type { Span } from "../trace/protocol";
import { gapsCsv, waitingCsv } from "./export";
import type { Summed } from "./summed";
import { CAUSES } from "./words";

export function Waits(props: {
  run: Summed;
  runs: readonly Summed[];
  state: State;
  store: Store;
  isLive: boolean;
}) {
  const { run, runs, state, store, isLive } = props;
  const { overview } = run;
  return (
    <section class="panel tables waits">
      <div class="panel-head">
        <h2>Where the device waits</h2>
        {runs.length > 1 && (
          <RunChoice
            word="in"
            runs={runs}
            shown={run.id}
            onShow={(id) => store.write({ shown: id, open: [] }, "push")}
          />
        )}
      </div>
      {overview.basis === "device" ? (
        <>
          <Causes overview={overview} />
          <Gaps
            overview={overview}
            state={state}
            store={store}
            onTrace={isLive ? (span) => showInPerfetto(store, run.id, span) : null}
          />
        </>
      ) : (
        <p class="hint">
          This trace has no device event, so there is no idle time to explain. On a machine with a
          GPU, record with activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA].
        </p>
      )}
    </section>
  );
}

function Causes({ overview }: { overview: Overview }) {
  const unit = timeUnit(overview.waiting.map((row) => row.sum_ns));
  if (overview.waiting.length === 0) return <p class="hint">The device never waits here.</p>;
  return (
    <div class="causes">
      <table>
        <caption class="hidden">Idle time by cause</caption>
        <thead>
          <tr>
            <th scope="col" class="left">
              cause
            </th>
            <th scope="col">gaps</th>
            <th scope="col">idle {unit.name}</th>
            <th scope="col" title="Part of wall time, added over devices">
              of wall %
            </th>
          </tr>
        </thead>
        <tbody>
          {overview.waiting.map((row) => (
            <tr key={row.cause}>
              <th scope="row" class="left">
                <b>{row.cause}</b> <span class="soft">{CAUSES[row.cause] ?? ""}</span>
              </th>
              <td>{count(row.gaps)}</td>
              <td title={exactDuration(row.sum_ns)}>{inUnit(row.sum_ns, unit)}</td>
              <td class="busy" title={exactPercent(row.share)}>
                <ShareBar share={row.share}>{percent(row.share)}</ShareBar>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <SaveButtons
        csvHint="Idle time by cause, exact"
        onCsv={() =>
          downloadCsv(`${fileName(overview.trace, "waiting")}.csv`, waitingCsv(overview))
        }
      />
    </div>
  );
}

/** A gap, or what the CPU did in it. */
interface GapRow {
  name: string;
  short: (letters: number) => string;
  device: number | null;
  start_ns: number | null;
  dur_ns: number;
  cause: string;
  cpu: string;
  reason: string;
}

function gapNodes(gaps: readonly Gap[]): Node<GapRow>[] {
  return gaps.map((gap, index) => {
    const number = `${index + 1}. `;
    const before = gap.before || "(start of the recording)";
    const after = gap.after || "(end of the recording)";
    const half = (text: string, letters: number) =>
      shortenMiddle(text, Math.max(8, Math.floor((letters - 6) / 2)));
    const row: GapRow = {
      name: `${number}${before} → ${after}`,
      short: (letters) => `${number}${half(before, letters)} → ${half(after, letters)}`,
      device: gap.device,
      start_ns: gap.start_ns,
      dur_ns: gap.dur_ns,
      cause: gap.cause,
      cpu: gap.cpu[0] ? `${duration(gap.cpu[0].overlap_ns)} ${gap.cpu[0].name}` : "",
      reason: gap.reason,
    };
    const did = gap.cpu.map((each) => ({
      name: each.name,
      short: (letters: number) => shortenMiddle(each.name, letters),
      device: null,
      start_ns: null,
      dur_ns: each.overlap_ns,
      cause: each.kind,
      cpu: "",
      reason: "",
    }));
    const children = toNodes(
      did,
      (each) => each.name,
      () => [],
    );
    // By number: with whole names, open rows would make a link very long.
    return { id: String(index + 1), name: row.name, data: row, children };
  });
}

type OnTrace = ((span: Span) => void) | null;

function gapColumns(gaps: readonly Gap[], devices: number, onTrace: OnTrace): Column<GapRow>[] {
  const unit = timeUnit(gaps.map((gap) => gap.dur_ns));
  const at = timeUnit(gaps.map((gap) => gap.start_ns));
  const columns: Column<GapRow>[] = [
    {
      id: "device",
      title: "device",
      hint: "Number of the device",
      width: 70,
      isNumber: true,
      value: (row) => row.device,
      show: (row) => row.device,
    },
    {
      id: "at",
      title: `at ${at.name}`,
      hint: "From the first event of the trace",
      width: 104,
      isNumber: true,
      value: (row) => row.start_ns,
      show: ({ start_ns, dur_ns }) =>
        start_ns !== null && (
          <>
            {inUnit(start_ns, at)}
            {onTrace && (
              <ToTrace what="the gap" onShow={() => onTrace([start_ns, start_ns + dur_ns])} />
            )}
          </>
        ),
      exact: (row) => (row.start_ns === null ? "" : exactDuration(row.start_ns)),
    },
    {
      id: "duration",
      title: `time ${unit.name}`,
      hint: "How long the device had nothing to do; below, how much of it the CPU was in this",
      width: 84,
      isNumber: true,
      value: (row) => row.dur_ns,
      show: (row) => inUnit(row.dur_ns, unit),
      exact: (row) => exactDuration(row.dur_ns),
    },
    {
      id: "cause",
      title: "cause",
      hint: "Why the device waited; below, what kind of thing the CPU did",
      width: 92,
      isNumber: false,
      value: (row) => row.cause,
      show: (row) => row.cause,
      exact: (row) => CAUSES[row.cause] ?? row.cause,
    },
    {
      id: "cpu",
      title: "the CPU was in",
      hint: "What covers most of the gap on the CPU, and for how long; open the row for more",
      width: 210,
      grows: true,
      isNumber: false,
      value: (row) => row.cpu,
      show: (row) => row.cpu,
      exact: (row) => row.cpu,
    },
    {
      id: "reason",
      title: "reason",
      hint: "The cause in words",
      width: 230,
      grows: true,
      isNumber: false,
      value: (row) => row.reason,
      show: (row) => row.reason,
      exact: (row) => row.reason,
    },
  ];
  return devices > 1 ? columns : columns.filter((column) => column.id !== "device");
}

function Gaps(props: { overview: Overview; state: State; store: Store; onTrace: OnTrace }) {
  const { overview, state, store, onTrace } = props;
  const box = useRef<HTMLDivElement>(null);
  const { gaps } = overview;
  const nodes = useMemo(() => gapNodes(gaps), [gaps]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: where it leads stays the same.
  const columns = useMemo(
    () => gapColumns(gaps, overview.devices.length, onTrace),
    [gaps, overview],
  );
  const openable = useMemo(() => openableKeys(nodes), [nodes]);
  if (gaps.length === 0) return null;
  return (
    <div ref={box}>
      <div class="panel-head">
        <h2>Largest gaps</h2>
        <span class="soft">
          the {count(gaps.length)} longest, up to {duration(gaps[0]?.dur_ns ?? 0)}
        </span>
        <TreeControls
          state={state}
          store={store}
          box={box}
          openable={openable}
          csvHint="The gaps and what the CPU did in them, exact"
          onCsv={() => downloadCsv(`${fileName(overview.trace, "gaps")}.csv`, gapsCsv(overview))}
        />
      </div>
      <TreeTable
        label="Largest gaps"
        nameTitle="gap: the device event before → after it"
        nodes={nodes}
        columns={columns}
        shorten={(row, letters) => row.short(letters)}
        {...treeState(state, store)}
        nothing="No gap has these words in a name. Esc clears the search."
      />
    </div>
  );
}
