// The main chart: a stacked bar a run.

import { useCallback, useState } from "preact/hooks";
import type { Comparison } from "../../api/types";
import { Chart, type Item, type Pointed } from "../../components/Chart";
import { count, duration, exactDuration, factor, percent } from "../../format";
import type { Scale } from "../../state/url";
import { paintOf } from "../../theme/colors";
import type { Mode } from "../../theme/mode";
import { barsHeight, barsOption, type Segment, segmentAt } from "./chart";

export function StackedBars(props: {
  label: string;
  comparison: Comparison;
  scale: Scale;
  mode: Mode;
  /** A category of the run at this place was chosen. */
  onPick: (index: number, category: string) => void;
}) {
  const { comparison, scale, mode } = props;
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const optionOf = useCallback(
    (width: number) => barsOption({ comparison, scale, mode, width }),
    [comparison, scale, mode],
  );
  const segment = pointed && segmentAt(comparison, pointed.series, pointed.index);
  return (
    <div class="bars">
      <Chart
        label={props.label}
        height={barsHeight(comparison.runs.length)}
        optionOf={optionOf}
        onPoint={setPointed}
        onPick={(item: Item) => props.onPick(item.index, item.series)}
      />
      {pointed && segment && <Tip at={pointed} segment={segment} isBase={pointed.index === 0} />}
    </div>
  );
}

function Tip(props: { at: Pointed; segment: Segment; isBase: boolean }) {
  const { at, segment, isBase } = props;
  const { run, bar } = segment;
  const rows: [string, string, string][] = [
    ["sum", duration(bar.sum_ns), exactDuration(bar.sum_ns)],
    ["share of the run", `${percent(bar.share)} %`, ""],
  ];
  if (bar.unlinked_ns > 0) {
    rows.push(["unlinked", duration(bar.unlinked_ns), exactDuration(bar.unlinked_ns)]);
  }
  if (!isBase && bar.speedup !== null && bar.delta_ns !== null) {
    rows.push(["against the base", `${factor(bar.speedup)} as fast`, `${count(bar.delta_ns)} ns`]);
  }
  return (
    <div class="tip" role="tooltip" style={{ left: `${at.x + 14}px`, top: `${at.y + 14}px` }}>
      <b>
        <i class="swatch" style={{ background: paintOf(bar.category).fill }} />
        {bar.category}
      </b>
      <span class="of">{run.run}</span>
      <dl>
        {rows.map(([name, value, exact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
            <dd class="exact">{exact}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
