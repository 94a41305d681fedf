// The figures of each axis of each run, in one plain table.

import {
  count,
  exactDuration,
  exactPercent,
  inUnit,
  percent,
  shortenMiddle,
  timeUnit,
} from "../../format";
import { axisColor, titleOf } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import { axesOf } from "./bars";
import { flops, flopsPerSecond, rangeText, type Spaced } from "./words";

export function AxesTable(props: { runs: readonly Spaced[]; mode: Mode }) {
  const { runs, mode } = props;
  const unit = timeUnit(runs.flatMap((run) => run.data.axes.map((row) => row.time_ns)));
  return (
    <div class={`runs-table axes-table ${runs.length > 1 ? "grouped" : ""}`}>
      <table>
        <caption class="hidden">Attention by axis</caption>
        <thead>
          <tr>
            {runs.length > 1 && (
              <th scope="col" class="left">
                run
              </th>
            )}
            {runs.length > 1 && (
              <th scope="col" title="Frames of the video as the model sees them">
                frames
              </th>
            )}
            <th scope="col" class="left">
              axis
            </th>
            <th scope="col" title="Attention calls">
              calls
            </th>
            <th scope="col">time {unit.name}</th>
            <th scope="col" title="Of all attention whose axis is known">
              share %
            </th>
            <th scope="col" title="Of the two products of attention">
              FLOPs
            </th>
            <th scope="col" title="FLOPs over the time of the calls with known lengths">
              achieved
            </th>
            <th scope="col" title="Query length, shortest to longest">
              sequence length
            </th>
            <th scope="col" title="Smallest to largest">
              batch
            </th>
            <th scope="col" class="left">
              moved into the batch
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => {
            const rows = axesOf(run.data);
            return rows.map((row, at) => (
              <tr key={`${run.id} ${row.axis}`} class={at === 0 ? "first" : ""}>
                {at === 0 && runs.length > 1 && (
                  <th scope="rowgroup" rowSpan={rows.length} class="left" title={run.id}>
                    {shortenMiddle(run.label, 40)}
                  </th>
                )}
                {at === 0 && runs.length > 1 && (
                  <td rowSpan={rows.length}>
                    {run.data.frames === null ? "–" : count(run.data.frames)}
                  </td>
                )}
                <td class="left axis">
                  <i class="swatch" style={{ background: axisColor(row.axis, mode) }} />
                  {titleOf(row.axis)}
                </td>
                <td>{count(row.calls)}</td>
                <td title={exactDuration(row.time_ns)}>{inUnit(row.time_ns, unit)}</td>
                <td title={exactPercent(row.share)}>{percent(row.share)}</td>
                <td title={`${count(row.flops)} FLOP`}>{flops(row.flops)}</td>
                <td title={row.flops_per_s === null ? "" : `${count(row.flops_per_s)} FLOP/s`}>
                  {flopsPerSecond(row.flops_per_s)}
                </td>
                <td>{rangeText(row.q_range)}</td>
                <td>{rangeText(row.batch_range)}</td>
                <td class="left">{row.in_batch}</td>
              </tr>
            ));
          })}
        </tbody>
      </table>
    </div>
  );
}
