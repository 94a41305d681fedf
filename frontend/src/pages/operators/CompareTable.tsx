// The chart's figures: a row a category, and for each run its time, share and speedup.

import type { CategoryBar, Comparison, RunBar } from "../../api/types";
import {
  exactDuration,
  exactPercent,
  factor,
  inUnit,
  percent,
  shortenMiddle,
  type TimeUnit,
  timeUnit,
} from "../../format";
import { paintOf } from "../../theme/colors";

export function CompareTable(props: { comparison: Comparison }) {
  const { runs } = props.comparison;
  const names = runs[0]?.categories.map((bar) => bar.category) ?? [];
  const unit = timeUnit(runs.flatMap((run) => run.categories.map((bar) => bar.sum_ns)));
  return (
    <div class="compare">
      <table>
        <caption class="hidden">Time by category and run</caption>
        <thead>
          <tr>
            <th />
            {runs.map((run, index) => (
              <th key={run.run} scope="colgroup" colSpan={index === 0 ? 2 : 3} title={run.run}>
                {shortenMiddle(run.run, 28)}
              </th>
            ))}
          </tr>
          <tr>
            <th scope="col">category</th>
            {runs.map((run, index) => (
              <Heads key={run.run} unit={unit} isBase={index === 0} />
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">
                <i class="swatch" style={{ background: paintOf(name).fill }} />
                {name}
              </th>
              {runs.map((run, index) => (
                <Cells
                  key={run.run}
                  bar={run.categories.find((bar) => bar.category === name)}
                  unit={unit}
                  isBase={index === 0}
                />
              ))}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Sum</th>
            {runs.map((run, index) => (
              <Totals key={run.run} run={run} unit={unit} isBase={index === 0} />
            ))}
          </tr>
          {TIMES.map(({ name, hint, of }) => (
            <tr key={name} class="soft">
              <th scope="row" title={hint}>
                {name}
              </th>
              {runs.map((run, index) => {
                const ns = of(run);
                return (
                  <Filled key={run.run} isBase={index === 0}>
                    <td class="start" title={ns === null ? "" : exactDuration(ns)}>
                      {ns === null ? "–" : inUnit(ns, unit)}
                    </td>
                  </Filled>
                );
              })}
            </tr>
          ))}
        </tfoot>
      </table>
    </div>
  );
}

/** The times of a whole run; null where a run has no device and so no such time. */
const TIMES: readonly { name: string; hint: string; of: (run: RunBar) => number | null }[] = [
  {
    name: "Device busy",
    hint: "Overlapping device events counted once",
    of: (run) => (run.basis === "device" ? run.device_busy_ns : null),
  },
  {
    name: "Unlinked",
    hint: "Device events without a launch in the trace",
    of: (run) => (run.basis === "device" ? run.unlinked_ns : null),
  },
  { name: "Wall", hint: "First event's start to last event's end", of: (run) => run.wall_ns },
];

function Heads(props: { unit: TimeUnit; isBase: boolean }) {
  return (
    <>
      <th scope="col" class="start">
        sum {props.unit.name}
      </th>
      <th scope="col">share %</th>
      {!props.isBase && (
        <th scope="col" title="The base's time over this run's">
          speedup
        </th>
      )}
    </>
  );
}

function Cells(props: { bar: CategoryBar | undefined; unit: TimeUnit; isBase: boolean }) {
  const { bar, unit, isBase } = props;
  if (bar === undefined || bar.sum_ns === 0) {
    return (
      <Filled isBase={isBase}>
        <td class="start soft">–</td>
      </Filled>
    );
  }
  return (
    <>
      <td class="start" title={exactDuration(bar.sum_ns)}>
        {inUnit(bar.sum_ns, unit)}
      </td>
      <td title={exactPercent(bar.share)}>{percent(bar.share)}</td>
      {!isBase && <Speedup value={bar.speedup} />}
    </>
  );
}

function Totals(props: { run: RunBar; unit: TimeUnit; isBase: boolean }) {
  const { run, unit, isBase } = props;
  return (
    <>
      <td class="start" title={exactDuration(run.basis_sum_ns)}>
        {inUnit(run.basis_sum_ns, unit)}
      </td>
      <td />
      {!isBase && <Speedup value={run.speedup} />}
    </>
  );
}

function Speedup(props: { value: number | null }) {
  return <td title={String(props.value ?? "")}>{props.value ? factor(props.value) : "–"}</td>;
}

function Filled(props: { isBase: boolean; children: preact.ComponentChildren }) {
  return (
    <>
      {props.children}
      <td />
      {!props.isBase && <td />}
    </>
  );
}
