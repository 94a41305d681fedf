// The distribution of sequence lengths beside a plot.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import { count, duration } from "../../format";
import { barAt, barsOf, drawHistogram, type HistogramInput } from "./histogram";

export function Histogram(props: Omit<HistogramInput, "width"> & { onPick: () => void }) {
  const { levels, weight, y, mode, height } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [at, setAt] = useState<number | null>(null);
  const input = useMemo(
    (): HistogramInput => ({ levels, weight, y, mode, width, height }),
    [levels, weight, y, mode, width, height],
  );
  const bars = useMemo(() => barsOf(input), [input]);
  const draw = useCallback((context: Context) => drawHistogram(context, input), [input]);
  const bar = at === null ? null : barAt(bars, at);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the table of levels says the same by keys.
    <div
      ref={box}
      class={`histogram ${bar ? "pointing" : ""}`}
      role="img"
      aria-label="How the calls are distributed over sequence lengths; the table of levels has the figures"
      onPointerMove={(event) =>
        setAt(event.clientY - (box.current?.getBoundingClientRect().top ?? 0))
      }
      onPointerLeave={() => setAt(null)}
      onClick={() => bar && props.onPick()}
    >
      <Canvas width={width} height={height} draw={draw} />
      {bar && (
        <div class="tip" role="tooltip" style={{ right: 0, top: `${bar.bottom + 8}px` }}>
          {bar.levels.slice(0, 8).map((level) => (
            <dl key={level.q_len}>
              <div>
                <dt>
                  <b>{count(level.q_len)}</b> queries
                </dt>
                <dd>
                  {count(level.calls)} calls, {duration(level.time_ns)}
                </dd>
              </div>
            </dl>
          ))}
          {bar.levels.length > 8 && <p>and {bar.levels.length - 8} more lengths</p>}
        </div>
      )}
    </div>
  );
}
