// The measures from end to end, and those of attention itself.

import type { Speedup } from "../../api/speedup";
import { count, exactDuration, inUnit, timeUnit } from "../../format";
import { bottleneckWords, MEASURES, SCOPES, speedupText } from "./words";

interface Line {
  name: string;
  hint: string;
  calls: number | null;
  baseline_ns: number;
  fused_ns: number;
  speedup: number | null;
  low: number | null;
  high: number | null;
}

export function Figures({ speedup }: { speedup: Speedup }) {
  const measures = speedup.end_to_end.map((row): Line => {
    const [name, hint] = MEASURES[row.name] ?? [row.name, ""];
    return { ...row, name, hint, calls: null };
  });
  const module = speedup.module.map((row): Line => {
    const [name, hint] = SCOPES[row.scope] ?? [row.scope, ""];
    return { ...row, name, hint, low: null, high: null };
  });
  return (
    <>
      <div class="figures-tables">
        <FiguresTable title="End to end" lines={measures} />
        {module.length > 0 && <FiguresTable title="Attention" lines={module} />}
      </div>
      {speedup.bottleneck && <p class="bottleneck">{bottleneckWords(speedup.bottleneck)}</p>}
    </>
  );
}

function FiguresTable(props: { title: string; lines: readonly Line[] }) {
  const { title, lines } = props;
  const unit = timeUnit(lines.flatMap((line) => [line.baseline_ns, line.fused_ns]));
  const hasRange = lines.some((line) => line.low !== null);
  const hasCalls = lines.some((line) => line.calls !== null);
  return (
    <div class="compare">
      <table>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            {hasCalls && <th scope="col">calls</th>}
            <th scope="col">baseline {unit.name}</th>
            <th scope="col">fused {unit.name}</th>
            <th
              scope="col"
              title="The baseline's time over the fused run's: above 1, fused is faster"
            >
              speedup
            </th>
            {hasRange && <th scope="col">low to high</th>}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.name}>
              <th scope="row" title={line.hint}>
                {line.name}
              </th>
              {hasCalls && <td>{line.calls === null ? "" : count(line.calls)}</td>}
              <td title={exactDuration(line.baseline_ns)}>{inUnit(line.baseline_ns, unit)}</td>
              <td title={exactDuration(line.fused_ns)}>{inUnit(line.fused_ns, unit)}</td>
              <td title={String(line.speedup ?? "not known")}>
                <b>{speedupText(line.speedup)}</b>
              </td>
              {hasRange && (
                <td class="soft">
                  {line.low === null || line.high === null
                    ? ""
                    : `${speedupText(line.low)} to ${speedupText(line.high)}`}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
