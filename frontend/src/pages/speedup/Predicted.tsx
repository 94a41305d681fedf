// One run: how much of it is attention, and what another implementation is predicted to gain.

import { useCallback, useMemo, useRef } from "preact/hooks";
import type { Pairing, Prediction } from "../../api/speedup";
import { download, downloadCsv, fileName } from "../../browser";
import { Warnings } from "../../components/notices";
import { SaveButtons, TreeControls, treeState } from "../../components/panel";
import { TreeTable } from "../../components/TreeTable";
import type { Context } from "../../drawing/Canvas";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { duration, exactDuration, percent } from "../../format";
import { toNodes } from "../../table/model";
import type { PageProps } from "../registry";
import { predictedColumns } from "./columns";
import { predictedShapesCsv, predictionCsv } from "./export";
import { drawGains, type Gain, gainsHeight, gainsOf, STEP, TOP } from "./gains";
import { ALONE, FROM, type Origin, originKey, originsOf } from "./pair";
import { RowChart, TipLines } from "./RowChart";
import { counted, sideWords, speedupText } from "./words";

export function Predicted(
  props: PageProps & {
    prediction: Prediction;
    label: string;
    pairing: Pairing | null;
    origin: Origin | null;
  },
) {
  const { prediction, label, pairing, origin, runs, state, store, mode } = props;
  const box = useRef<HTMLElement>(null);
  const columns = useMemo(() => predictedColumns(prediction.shapes), [prediction]);
  const nodes = useMemo(
    () =>
      toNodes(
        prediction.shapes,
        (row) => row.name,
        () => [],
      ),
    [prediction],
  );
  const labelOf = (id: string) => runs.find((run) => run.id === id)?.label ?? id;
  const origins = originsOf(pairing);
  // What would fill the page is said on it, and without the options of the command line.
  const warnings = prediction.warnings.filter((warning) => warning.code !== "no_table");
  const file = fileName("prediction", label);
  const explained = caption(prediction);
  const gains = useMemo(() => gainsOf(prediction), [prediction]);
  const height = gainsHeight(gains.length);
  const draw = useCallback(
    (context: Context, width: number) => drawGains(context, { gains, mode, width }),
    [gains, mode],
  );

  async function savePicture(): Promise<void> {
    const picture = await pictureOf({
      title: prediction.sentence,
      caption: explained,
      mode,
      names: [],
      hasUnlinked: false,
      parts: [{ text: label, height, draw: (context) => draw(context, PICTURE_ROOM) }],
    });
    download(`${file}.png`, picture);
  }

  return (
    <>
      <h1>{prediction.sentence}</h1>
      <p class="detail">
        {label}: {sideWords(prediction.run)}.
      </p>
      <section class="panel chart-panel">
        <div class="panel-head">
          <h2>What could be gained</h2>
          {origins.length > 0 && (
            <label class="shown">
              speedups from{" "}
              <select
                aria-label="Where the speedups are from"
                value={origin ? originKey(origin) : ALONE}
                onChange={({ currentTarget: { value } }) =>
                  store.write({ of: { ...state.of, [FROM]: value } }, "push")
                }
              >
                <option value={ALONE}>nothing: the limit only</option>
                {origins.map((each) => (
                  <option key={originKey(each)} value={originKey(each)}>
                    {each.table ?? each.runs.map(labelOf).join(" → ")}
                  </option>
                ))}
              </select>
            </label>
          )}
          <span class="space" />
          <SaveButtons
            csvHint="The figures of the bars, exact"
            onCsv={() => downloadCsv(`${file}.csv`, predictionCsv(prediction))}
            onPng={savePicture}
          />
        </div>
        <figure>
          <RowChart
            label="The run as recorded and as predicted."
            rows={gains.length}
            top={TOP}
            step={STEP}
            height={height}
            draw={draw}
            say={(at) => {
              const gain = gains[at];
              return gain === undefined
                ? ""
                : `${gain.name}: ${duration(gain.total_ns)}, ${gain.note}`;
            }}
            tip={(at) => {
              const gain = gains[at];
              return gain && <GainTip gain={gain} />;
            }}
          />
          <figcaption>{explained}</figcaption>
        </figure>
        {prediction.predicted.length === 0 && (
          <p class="hint">
            To see what a faster implementation would gain, record the same work once with attention
            computed step by step and once fused, for example with{" "}
            <code>genscope.collect.collect_pair</code>, on this device, and choose both runs above;
            or measure these shapes with <code>genscope replay</code>.
          </p>
        )}
      </section>
      <Warnings groups={[{ title: "", warnings }]} />
      <section class="panel tables" ref={box}>
        <div class="panel-head">
          <h2>Shapes of attention</h2>
          <TreeControls
            state={state}
            store={store}
            box={box}
            openable={[]}
            csvHint="All shapes, with exact figures"
            onCsv={() =>
              downloadCsv(
                `${fileName("prediction-shapes", label)}.csv`,
                predictedShapesCsv(prediction),
              )
            }
          />
        </div>
        {nodes.length === 0 ? (
          <p class="hint">
            This run has no attention calls. Record a transformer's forward pass with{" "}
            record_shapes=True, so that its calls can be told apart.
          </p>
        ) : (
          <TreeTable
            label="Shapes of attention"
            nameTitle="shape"
            nodes={nodes}
            columns={columns}
            {...treeState(state, store)}
            nothing="No row has these words in its name. Esc clears the search."
          />
        )}
      </section>
    </>
  );
}

function GainTip({ gain }: { gain: Gain }) {
  const rest = gain.total_ns - gain.attention_ns;
  return (
    <>
      <b>{gain.name}</b>
      <span class="of">{gain.note}</span>
      <TipLines
        lines={[
          ["attention", duration(gain.attention_ns), exactDuration(gain.attention_ns)],
          ["everything else", duration(rest), exactDuration(rest)],
          ["together", duration(gain.total_ns), exactDuration(gain.total_ns)],
          ["speedup of attention", speedupText(gain.module_speedup), ""],
          ["speedup of the run", speedupText(gain.speedup), ""],
        ]}
      />
    </>
  );
}

function caption(prediction: Prediction): string {
  const from = prediction.source === null ? "" : `, from: ${prediction.source}`;
  return (
    `Time of the run: ${counted(prediction.basis)}; ${percent(prediction.attention_share)} % of it ` +
    `is attention. Only the filled bar is measured. Hatched is predicted${from}.`
  );
}
