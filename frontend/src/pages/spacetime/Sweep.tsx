// How attention grows with the number of frames, over the chosen runs.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import type { FramesSweep, Measured } from "../../api/spacetime";
import { download, downloadCsv, fileName } from "../../browser";
import { Warnings } from "../../components/notices";
import { SaveButtons } from "../../components/panel";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { count, exactDuration, threeDigits } from "../../format";
import { axisColor, inOrderOf, titleOf } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import { sweepCsv } from "./export";
import { drawSweep, layoutOf, pointAt, valueText } from "./sweep";
import { framesText } from "./words";

const HEIGHT = 300;
const ORDER = ["spatial", "temporal"];
const CAPTION =
  "Points are runs; lines are power laws fitted to their logarithms, dashed beyond the data, " +
  "where they are predictions. The exponent is the power of the number of frames that attention " +
  "grows with. From the trace files.";

export function Sweep(props: { sweep: FramesSweep; labelOf: (id: string) => string; mode: Mode }) {
  const { sweep, labelOf, mode } = props;
  const file = fileName("frames", ...new Set(sweep.points.map((point) => labelOf(point.run))));

  async function savePicture(): Promise<void> {
    const part = (of: Measured) => ({
      text: of === "flops" ? "FLOPs" : "Time",
      height: HEIGHT,
      draw: (context: Context) =>
        drawSweep(context, { sweep, of, mode, width: PICTURE_ROOM, height: HEIGHT }),
    });
    const picture = await pictureOf({
      title: sweep.sentence,
      caption: `Space: discs. Time: rings. ${CAPTION}`,
      mode,
      names: [],
      hasUnlinked: false,
      parts: [part("time_ns"), part("flops")],
    });
    download(`${file}.png`, picture);
  }

  return (
    <section class="panel chart-panel">
      <div class="panel-head">
        <h2>Over the number of frames</h2>
        <span class="space" />
        <SaveButtons
          csvHint="A line for each run and axis, each fit, and each crossover, exact"
          onCsv={() => downloadCsv(`${file}.csv`, sweepCsv(sweep, labelOf))}
          onPng={savePicture}
        />
      </div>
      <figure class="strips">
        <div class="sweeps">
          <Plot sweep={sweep} of="time_ns" labelOf={labelOf} mode={mode} />
          <Plot sweep={sweep} of="flops" labelOf={labelOf} mode={mode} />
        </div>
        <ul class="legend" aria-label="Colours">
          {inOrderOf(
            ORDER,
            sweep.points.map((point) => point.axis),
          ).map((axis) => (
            <li key={axis}>
              <i
                class="swatch round"
                style={{
                  borderColor: axisColor(axis, mode),
                  background: axis === "temporal" ? "none" : axisColor(axis, mode),
                }}
              />
              {titleOf(axis)}
            </li>
          ))}
        </ul>
        <Fits sweep={sweep} />
        {sweep.left_out.length > 0 && (
          <p class="soft">
            Left out:{" "}
            {sweep.left_out.map(({ run, reason }) => `${labelOf(run)} (${reason})`).join(", ")}.
          </p>
        )}
        <figcaption>{CAPTION}</figcaption>
      </figure>
      <Warnings groups={[{ title: "", warnings: sweep.warnings }]} />
    </section>
  );
}

/** Exponents, and where the curves meet, also where that is beyond the chart. */
function Fits({ sweep }: { sweep: FramesSweep }) {
  const fits = sweep.fits.filter((fit) => fit.exponent !== null);
  if (fits.length === 0) {
    return <p class="soft">Two numbers of frames or more are needed to fit a curve.</p>;
  }
  const word = { time_ns: "time grows", flops: "FLOPs grow" } as const;
  return (
    <div class="compare">
      <table>
        <caption class="hidden">Fitted curves</caption>
        <thead>
          <tr>
            <th />
            <th scope="col">spatial</th>
            <th scope="col">temporal</th>
            <th scope="col">equal at</th>
          </tr>
        </thead>
        <tbody>
          {(["time_ns", "flops"] as const).map((of) => {
            const crossover = sweep.crossovers.find((each) => each.of === of);
            return (
              <tr key={of}>
                <th scope="row">{word[of]} with frames to the power</th>
                {["spatial", "temporal"].map((axis) => {
                  const exponent = fits.find((f) => f.of === of && f.axis === axis)?.exponent;
                  return (
                    <td key={axis} title={String(exponent ?? "")}>
                      {typeof exponent === "number" ? threeDigits(exponent) : "–"}
                    </td>
                  );
                })}
                <td title={crossover ? String(crossover.frames) : ""}>
                  {crossover
                    ? `${framesText(crossover.frames)} frames${crossover.measured ? "" : " (predicted)"}`
                    : "–"}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const TIP_WIDTH = 250;

function Plot(props: {
  sweep: FramesSweep;
  of: Measured;
  labelOf: (id: string) => string;
  mode: Mode;
}) {
  const { sweep, of, mode } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<number>(-1);
  const input = useMemo(
    () => ({ sweep, of, mode, width, height: HEIGHT }),
    [sweep, of, mode, width],
  );
  const layout = useMemo(() => layoutOf(input), [input]);
  const draw = useCallback((context: Context) => drawSweep(context, input), [input]);
  const point = sweep.points[pointed];
  const say = () =>
    point
      ? `${props.labelOf(point.run)}, ${point.frames} frames, ${titleOf(point.axis)}: ${valueText(point, of)}`
      : "no point";

  function onKeyDown(event: KeyboardEvent): void {
    const last = sweep.points.length - 1;
    const keys: Record<string, () => void> = {
      ArrowRight: () => setPointed(Math.min(last, pointed + 1)),
      ArrowLeft: () => setPointed(Math.max(0, pointed - 1)),
      Escape: () => setPointed(-1),
    };
    const act = keys[event.key];
    if (act === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act();
  }

  const x = point ? layout.xOf(point.frames) : 0;
  const left = x + 14 + TIP_WIDTH > width ? x - TIP_WIDTH - 14 : x + 14;
  return (
    <div
      ref={box}
      class="plot-box"
      role="slider"
      aria-label={`${of === "flops" ? "FLOPs" : "Time"} of attention against frames: arrow keys go through the runs`}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, sweep.points.length)}
      aria-valuenow={pointed + 1}
      aria-valuetext={say()}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(-1)}
      onPointerMove={(event) => {
        const rect = event.currentTarget.getBoundingClientRect();
        setPointed(pointAt(input, layout, event.clientX - rect.left, event.clientY - rect.top));
      }}
      onPointerLeave={() => setPointed(-1)}
    >
      <Canvas width={width} height={HEIGHT} draw={draw} />
      {point && point[of] > 0 && (
        <div
          class="tip"
          role="tooltip"
          style={{
            left: `${Math.max(0, left)}px`,
            top: `${layout.yOf(point[of]) + 12}px`,
            width: `${TIP_WIDTH}px`,
          }}
        >
          <b>{titleOf(point.axis)}</b>
          <span class="of">{props.labelOf(point.run)}</span>
          <dl>
            <div>
              <dt>frames</dt>
              <dd>{count(point.frames)}</dd>
            </div>
            <div>
              <dt>{of === "flops" ? "FLOPs" : "time"}</dt>
              <dd>{valueText(point, of)}</dd>
              <dd class="exact">
                {of === "flops" ? `${count(point.flops)} FLOP` : exactDuration(point.time_ns)}
              </dd>
            </div>
            <div>
              <dt>calls</dt>
              <dd>{count(point.calls)}</dd>
            </div>
          </dl>
        </div>
      )}
    </div>
  );
}
