// The runs: a row for each of their devices, what is of the whole run beside them.

import type { DeviceUse } from "../../api/types";
import { MixBar } from "../../components/MixBar";
import { ShareBar } from "../../components/ShareBar";
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
import { paintOf } from "../../theme/colors";
import type { Summed } from "./summed";

export function RunsTable(props: {
  runs: readonly Summed[];
  shown: string;
  onShow: (id: string) => void;
}) {
  const { runs } = props;
  const unit = timeUnit(runs.map((run) => run.overview.wall_ns));
  const time = (ns: number) => <td title={exactDuration(ns)}>{inUnit(ns, unit)}</td>;
  return (
    <div class="runs-table">
      <table>
        <caption class="hidden">The chosen runs</caption>
        <thead>
          <tr>
            <th scope="col" class="left">
              run
            </th>
            <th scope="col" class="left">
              device
            </th>
            <th scope="col" title="First event's start to last event's end">
              wall {unit.name}
            </th>
            <th scope="col" title="Overlapping device events counted once">
              busy {unit.name}
            </th>
            <th scope="col" title="Wall time less busy time">
              idle {unit.name}
            </th>
            <th scope="col" title="Busy time as a part of wall time">
              busy %
            </th>
            <th scope="col" title="Streams, or queues, that the device's work was on">
              streams
            </th>
            <th scope="col" class="left wide" title="Durations added up, by category">
              categories
            </th>
            <th scope="col">warnings</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run, index) => {
            const { overview } = run;
            const devices: (DeviceUse | null)[] =
              overview.devices.length > 0 ? overview.devices : [null];
            return devices.map((device, at) => (
              <tr key={`${run.id} ${at}`} class={at === 0 ? "first" : ""}>
                {at === 0 && (
                  <th scope="rowgroup" rowSpan={devices.length} class="left" title={run.id}>
                    <button
                      type="button"
                      class="link"
                      aria-pressed={run.id === props.shown}
                      title={`${run.id}\nShow where its device waits`}
                      onClick={() => props.onShow(run.id)}
                    >
                      {shortenMiddle(run.label, 40)}
                    </button>
                    {index === 0 && runs.length > 1 && <em>base</em>}
                  </th>
                )}
                <td class="left" title={device?.name ?? ""}>
                  {device
                    ? `${devices.length > 1 ? `${device.index}: ` : ""}${shortenMiddle(device.name || "unknown device", 30)}`
                    : "CPU only"}
                </td>
                {at === 0 && (
                  <td rowSpan={devices.length} title={exactDuration(overview.wall_ns)}>
                    {inUnit(overview.wall_ns, unit)}
                  </td>
                )}
                {device ? time(device.busy_ns) : <td class="soft">–</td>}
                {device ? time(device.idle_ns) : <td class="soft">–</td>}
                {device ? (
                  <td class="busy" title={exactPercent(device.busy_share)}>
                    <ShareBar share={device.busy_share}>{percent(device.busy_share)}</ShareBar>
                  </td>
                ) : (
                  <td class="soft">–</td>
                )}
                {device ? <td>{count(device.streams)}</td> : <td class="soft">–</td>}
                {at === 0 && (
                  <td rowSpan={devices.length} class="left wide">
                    <Categories run={run} />
                  </td>
                )}
                {at === 0 && (
                  <td
                    rowSpan={devices.length}
                    title={overview.warnings.map((warning) => warning.message).join("\n")}
                  >
                    {count(overview.warnings.length)}
                  </td>
                )}
              </tr>
            ));
          })}
        </tbody>
      </table>
    </div>
  );
}

/** So many categories are named beside the bar. */
const NAMED = 2;

function Categories({ run }: { run: Summed }) {
  const { categories, basis_sum_ns } = run.overview;
  const largest = Object.entries(categories)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, NAMED);
  return (
    <span class="categories">
      <MixBar categories={categories} sum_ns={basis_sum_ns} />
      <span class="named">
        {largest.map(([name, ns]) => (
          <span key={name} title={exactDuration(ns)}>
            <i class="swatch" style={{ background: paintOf(name).fill }} />
            {name} {duration(ns)}
          </span>
        ))}
      </span>
    </span>
  );
}
