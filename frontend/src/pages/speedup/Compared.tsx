// Two runs beside each other: the headline, the charts, the figures and the tables.

import { useCallback, useMemo } from "preact/hooks";
import type { Amdahl, Speedup } from "../../api/speedup";
import { download, downloadCsv, fileName } from "../../browser";
import { AfterPaint } from "../../components/AfterPaint";
import { Segmented } from "../../components/controls";
import { Warnings } from "../../components/notices";
import { SaveButtons } from "../../components/panel";
import type { Context } from "../../drawing/Canvas";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { count, duration, exactDuration, percent } from "../../format";
import type { Scale } from "../../state/url";
import type { PageProps } from "../registry";
import * as bars from "./bars";
import type { Source } from "./Calls";
import { categoriesCsv, figuresCsv, shapesCsv, waterfallCsv } from "./export";
import { Figures } from "./Figures";
import { RowChart, TipLines } from "./RowChart";
import { ShapeChart } from "./ShapeChart";
import { drawable, drawShapes, SHAPES_HEIGHT } from "./shapes";
import { Tables } from "./Tables";
import * as waterfall from "./waterfall";
import { barsCaption, detail, LAWS, lawCaption, shapesCaption, speedupText } from "./words";

/** Whether the sum of categories or wall time is explained. */
const MEASURE = "speedup_measure";

interface Props extends PageProps {
  speedup: Speedup;
  source: Source;
  /** Of the baseline and of the fused run. */
  labels: readonly [string, string];
}

/** What a panel saves its picture as. */
interface Shot {
  caption: string;
  names: readonly string[];
  height: number;
  draw: (context: Context, width: number) => void;
}

export function Compared(props: Props) {
  const { speedup, labels, source, state, store } = props;
  return (
    <>
      <h1>{speedup.sentence}</h1>
      <p class="detail">{detail(speedup)}</p>
      {speedup.basis === null && (
        <p class="notice warning">
          One of the runs was recorded with a device and the other without: only their wall times
          are compared.
        </p>
      )}
      <div class="two-charts">
        {speedup.basis !== null && <CategoryBars {...props} />}
        {speedup.amdahl.length > 0 && <Explained {...props} />}
      </div>
      <section class="panel">
        <div class="panel-head">
          <h2>Figures</h2>
          <span class="space" />
          <SaveButtons
            csvHint="All measures, exact"
            onCsv={() =>
              downloadCsv(`${fileName("speedup-figures", ...labels)}.csv`, figuresCsv(speedup))
            }
          />
        </div>
        <Figures speedup={speedup} />
      </section>
      <Warnings groups={[{ title: "", warnings: speedup.warnings }]} />
      <AfterPaint>
        {() => (
          <>
            {speedup.basis !== null && <Shapes {...props} />}
            <Tables source={source} speedup={speedup} labels={labels} state={state} store={store} />
          </>
        )}
      </AfterPaint>
    </>
  );
}

function save({ speedup, mode }: Props, file: string, shot: Shot): Promise<void> {
  return pictureOf({
    title: speedup.sentence,
    caption: shot.caption,
    mode,
    names: shot.names,
    hasUnlinked: false,
    parts: [{ text: "", height: shot.height, draw: (context) => shot.draw(context, PICTURE_ROOM) }],
  }).then((picture) => download(`${file}.png`, picture));
}

function CategoryBars(props: Props) {
  const { speedup, labels, state, store, mode } = props;
  const scale = bars.drawnScale(speedup, state.scale);
  const rows = useMemo(() => bars.inRows(speedup.categories), [speedup]);
  const height = bars.barsHeight(rows.length);
  const caption = barsCaption(speedup, scale === "relative");
  const draw = useCallback(
    (context: Context, width: number) => bars.drawBars(context, { speedup, scale, mode, width }),
    [speedup, scale, mode],
  );
  const file = fileName("speedup-categories", ...labels);
  const names = rows.map((row) => row.category);
  return (
    <section class="panel chart-panel">
      <div class="panel-head">
        <h2>Before and after, by category</h2>
        <Segmented
          label="Scale"
          choices={[
            {
              id: "relative",
              title: "Relative to baseline",
              hint: "100 % is all time of the baseline",
              isDisabled: bars.drawnScale(speedup, "relative") !== "relative",
            },
            { id: "absolute", title: "Absolute time", hint: "One scale of time" },
          ]}
          value={scale}
          onChange={(id) => store.write({ scale: id as Scale }, "push")}
        />
        <span class="space" />
        <SaveButtons
          csvHint="The figures of the chart, exact"
          onCsv={() => downloadCsv(`${file}.csv`, categoriesCsv(speedup.categories))}
          onPng={() => save(props, file, { caption, names, height, draw })}
        />
      </div>
      <figure>
        <RowChart
          label="Time by category in both runs."
          rows={rows.length}
          top={bars.TOP}
          step={bars.STEP}
          height={height}
          draw={draw}
          say={(at) => {
            const row = rows[at];
            return row === undefined
              ? ""
              : `${row.category}: ${duration(row.baseline_ns)}, then ${duration(row.fused_ns)}`;
          }}
          tip={(at) => {
            const row = rows[at];
            return (
              row && (
                <>
                  <b>{row.category}</b>
                  <TipLines
                    lines={[
                      [
                        "baseline",
                        share(row.baseline_ns, row.baseline_share),
                        exactDuration(row.baseline_ns),
                      ],
                      ["fused", share(row.fused_ns, row.fused_share), exactDuration(row.fused_ns)],
                      [
                        "change",
                        waterfall.signed(row.delta_ns),
                        waterfall.signedExact(row.delta_ns),
                      ],
                      ["speedup", speedupText(row.speedup), ""],
                    ]}
                  />
                </>
              )
            );
          }}
        />
        <figcaption>{caption}</figcaption>
      </figure>
    </section>
  );
}

/** A time, and the part that it is of its own run. */
function share(ns: number, part: number): string {
  return `${duration(ns)}, ${percent(part)} % of its run`;
}

function Explained(props: Props) {
  const { speedup, labels, state, store, mode } = props;
  const law = (speedup.amdahl.find((each) => each.measure === state.of[MEASURE]) ??
    speedup.amdahl[0]) as Amdahl;
  const steps = useMemo(() => waterfall.stepsOf(law), [law]);
  const height = waterfall.waterfallHeight(steps.length);
  const caption = lawCaption(law);
  const draw = useCallback(
    (context: Context, width: number) => waterfall.drawWaterfall(context, { law, mode, width }),
    [law, mode],
  );
  const file = fileName("speedup-explained", law.measure, ...labels);
  const names = steps.filter((step) => step.kind === "category").map((step) => step.name);
  return (
    <section class="panel chart-panel">
      <div class="panel-head">
        <h2>What explains it</h2>
        {speedup.amdahl.length > 1 && (
          <Segmented
            label="Explained time"
            choices={speedup.amdahl.map(({ measure }) => ({
              id: measure,
              title: LAWS[measure]?.title ?? measure,
              hint: LAWS[measure]?.hint ?? "",
            }))}
            value={law.measure}
            onChange={(id) => store.write({ of: { ...state.of, [MEASURE]: id } }, "push")}
          />
        )}
        <span class="space" />
        <SaveButtons
          csvHint="Each part of the chart, exact"
          onCsv={() => downloadCsv(`${file}.csv`, waterfallCsv(law))}
          onPng={() => save(props, file, { caption, names, height, draw })}
        />
      </div>
      <figure>
        <RowChart
          label="From the baseline's time to the fused run's."
          rows={steps.length}
          top={waterfall.TOP}
          step={waterfall.STEP}
          height={height}
          draw={draw}
          say={(at) => {
            const step = steps[at];
            return step === undefined ? "" : stepWords(step);
          }}
          tip={(at) => {
            const step = steps[at];
            return step && <StepTip step={step} />;
          }}
        />
        <figcaption>{caption}</figcaption>
      </figure>
    </section>
  );
}

function stepWords(step: waterfall.Step): string {
  return step.part === null
    ? `${step.name}: ${duration(step.to_ns)}, ${speedupText(step.speedup)}`
    : `${step.name}: ${waterfall.signed(step.to_ns - step.from_ns)}`;
}

const WHOLES: Readonly<Partial<Record<waterfall.StepKind, string>>> = {
  baseline: "measured",
  predicted: "by Amdahl's law, with the baseline's other time",
  fused: "measured",
};

function StepTip({ step }: { step: waterfall.Step }) {
  const { part } = step;
  const change = step.to_ns - step.from_ns;
  return (
    <>
      <b>{step.name}</b>
      {part === null && <span class="of">{WHOLES[step.kind]}</span>}
      <TipLines
        lines={
          part === null
            ? [
                ["time", duration(step.to_ns), exactDuration(step.to_ns)],
                ["against the baseline", speedupText(step.speedup), ""],
              ]
            : [
                ["baseline", duration(part.baseline_ns), exactDuration(part.baseline_ns)],
                ["fused", duration(part.fused_ns), exactDuration(part.fused_ns)],
                ["change", waterfall.signed(change), waterfall.signedExact(change)],
                ["time until here", duration(step.to_ns), exactDuration(step.to_ns)],
              ]
        }
      />
    </>
  );
}

function Shapes(props: Props) {
  const { speedup, labels, mode } = props;
  const { shapes } = speedup;
  const drawn = useMemo(() => drawable(shapes), [shapes]);
  const left = shapes.length - drawn.length;
  const more = left > 0 ? ` ${count(left)} without lengths or times are in the table only.` : "";
  const caption = shapesCaption(speedup) + more;
  const file = fileName("speedup-shapes", ...labels);
  const draw = (context: Context, width: number) => drawShapes(context, { shapes, mode, width });
  return (
    <section class="panel chart-panel">
      <div class="panel-head">
        <h2>Speedup by shape</h2>
        <span class="space" />
        {drawn.length > 0 && (
          <SaveButtons
            csvHint="All shapes, exact"
            onCsv={() => downloadCsv(`${file}.csv`, shapesCsv(shapes))}
            onPng={() => save(props, file, { caption, names: [], height: SHAPES_HEIGHT, draw })}
          />
        )}
      </div>
      {drawn.length === 0 ? (
        <p class="hint">
          No aligned call tells its lengths. Record both runs with record_shapes=True to see how the
          speedup depends on them.
        </p>
      ) : (
        <figure>
          <ShapeChart label="Speedup of each shape." shapes={shapes} mode={mode} />
          <figcaption>{caption}</figcaption>
        </figure>
      )}
    </section>
  );
}
