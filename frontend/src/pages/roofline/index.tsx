// The page Roofline: how far the chosen runs are from what their devices allow.

import { useMemo } from "preact/hooks";
import type { Roofline } from "../../api/roofline";
import { download, downloadCsv, fileName } from "../../browser";
import { AfterPaint } from "../../components/AfterPaint";
import { Answered, useEachView } from "../../components/Answered";
import { Segmented } from "../../components/controls";
import { Legend } from "../../components/Legend";
import { Empty, Warnings } from "../../components/notices";
import { SaveButtons } from "../../components/panel";
import { MarkIcon } from "../../drawing/Mark";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { CHART_COLORS } from "../../theme/mode";
import type { PageProps } from "../registry";
import { Chart } from "./Chart";
import { CHART_HEIGHT, drawChart } from "./chart";
import { rowsCsv } from "./export";
import {
  ACROSS,
  acrossOf,
  BY,
  DEVICE,
  LEVELS,
  levelOf,
  MARKED,
  type Point,
  pointsOf,
  type Roofed,
  rowsOf,
  shapeOf,
} from "./points";
import { CapacityTable, RowsTable } from "./Tables";
import { caption, deviceOf, headline } from "./words";

/** It is said where the device is chosen. */
const NO_RATES = "no_rates";

export function RooflinePage(props: PageProps) {
  const device = props.client.isLive ? props.state.of[DEVICE] : undefined;
  const answered = useEachView<Roofline>(props, "roofline", {
    more: device ? [["device", device]] : [],
  });
  return (
    <Answered of={answered} title="The roofline could not be drawn" {...props}>
      {(runs) => <Content {...props} runs={props.runs} roofed={runs} />}
    </Answered>
  );
}

function Content(props: PageProps & { roofed: readonly Roofed[] }) {
  const { roofed, client, state, store, mode } = props;
  const words = useMemo(() => headline(roofed), [roofed]);
  const known = useMemo(() => roofed.filter((run) => run.data.whole.time_ns > 0), [roofed]);
  const bare = known.filter((run) => run.data.device === null);
  const across = acrossOf(state, known);
  const level = across === "capacity" ? "component" : levelOf(state);
  const points = useMemo(() => pointsOf(known, level, across, mode), [known, level, across, mode]);
  const shown = known.find((run) => run.id === state.shown) ?? known[0];
  const marked = /^\d+$/.test(state.of[MARKED] ?? "") ? Number(state.of[MARKED]) : null;
  const explained = caption(known, level, across);
  const file = fileName("roofline", ...known.map((run) => run.label));
  const names = level === "op" || level === "category" ? namesOf(points) : [];

  function pick(point: Point | null): void {
    const of = { ...state.of, [MARKED]: point ? String(point.place) : "" };
    store.write({ of, ...(point ? { shown: point.run.id } : {}) }, "replace");
  }

  async function savePicture(): Promise<void> {
    const input = { points, runs: known, level, across, mode, width: PICTURE_ROOM };
    const picture = await pictureOf({
      title: words.sentence,
      caption: `${shapesText(known)}${explained}`,
      mode,
      names,
      hasUnlinked: false,
      parts: [{ text: "", height: CHART_HEIGHT, draw: (context) => drawChart(context, input) }],
    });
    download(`${file}.png`, picture);
  }

  return (
    <>
      <h1>{words.sentence}</h1>
      <p class="detail">{words.detail}</p>
      {known.length === 0 && <Nothing isFiltered={props.selection.length > 0} />}
      {bare.length > 0 && <NoRates runs={bare} isLive={client.isLive} />}
      {known.length > 0 && (
        <section class="panel chart-panel">
          <div class="panel-head">
            <h2>Roofline</h2>
            <Segmented
              label="A mark is"
              choices={LEVELS.map((each) => ({
                ...each,
                isDisabled:
                  across === "capacity"
                    ? each.id !== "component"
                    : known.every((run) => rowsOf(run.data, each.id).length === 0),
              }))}
              value={level}
              onChange={(id) =>
                store.write({ of: { ...state.of, [BY]: id, [MARKED]: "" } }, "push")
              }
            />
            <Segmented
              label="FLOPs over"
              choices={[
                { id: "moved", title: "Over bytes moved", hint: "FLOPs over bytes moved" },
                {
                  id: "capacity",
                  title: "Over model capacity",
                  hint: "The paper's: FLOPs over the bytes of the component's parameters, where they were recorded",
                  isDisabled: known.every((run) => run.data.capacity.length === 0),
                },
              ]}
              value={across}
              onChange={(id) =>
                store.write({ of: { ...state.of, [ACROSS]: id, [MARKED]: "" } }, "push")
              }
            />
            {client.isLive && <DeviceChoice {...props} runs={known} />}
            <span class="space" />
            <SaveButtons
              csvHint="A line for each mark, and for what is not drawn, exact"
              onCsv={() => downloadCsv(`${file}.csv`, rowsCsv(known, level))}
              onPng={savePicture}
            />
          </div>
          <figure class="strips">
            <Chart
              label={words.sentence}
              points={points}
              runs={known}
              level={level}
              across={across}
              mode={mode}
              marked={points.find((point) => point.run === shown && point.place === marked) ?? null}
              onPick={pick}
            />
            <Legend names={names} hasUnlinked={false} />
            {known.length > 1 && (
              <ul class="legend" aria-label="Shapes">
                {known.map((run, at) => (
                  <li key={run.id} title={run.id}>
                    <MarkIcon color={CHART_COLORS[mode].soft} shape={shapeOf(at)} inside="filled" />{" "}
                    {run.label}, {deviceOf(run.data)}
                  </li>
                ))}
              </ul>
            )}
            <figcaption>{explained}</figcaption>
          </figure>
        </section>
      )}
      <Warnings
        groups={roofed.map((run) => ({
          title: roofed.length > 1 ? run.label : "",
          warnings: run.data.warnings.filter((warning) => warning.code !== NO_RATES),
        }))}
      />
      {shown && (
        <AfterPaint>
          {() => (
            <>
              <RowsTable
                runs={known}
                shown={shown}
                level={level}
                marked={marked}
                state={state}
                store={store}
                mode={mode}
              />
              <CapacityTable runs={known} />
            </>
          )}
        </AfterPaint>
      )}
    </>
  );
}

function namesOf(points: readonly Point[]): string[] {
  return points.map((point) => point.row.category ?? point.row.name);
}

/** Which run has which shape, for a picture. */
function shapesText(runs: readonly Roofed[]): string {
  if (runs.length < 2) return "";
  return `${runs.map((run, at) => `${run.label}: ${shapeOf(at)}`).join("; ")}. `;
}

/** Whose rates the runs are set beside. */
function DeviceChoice(props: Pick<PageProps, "state" | "store"> & { runs: readonly Roofed[] }) {
  const { runs, state, store } = props;
  const [first] = runs;
  if (first === undefined) return null;
  const own = new Set(runs.map((run) => (run.data.as_if ? null : deviceOf(run.data))));
  const [only] = own;
  const title = own.size === 1 && only ? `its own: ${only}` : "each run's own";
  return (
    <label class="shown on-device">
      device{" "}
      <select
        value={state.of[DEVICE] ?? ""}
        title="The device whose rates are the roofs"
        onChange={(event) =>
          store.write({ of: { ...state.of, [DEVICE]: event.currentTarget.value } }, "push")
        }
      >
        <option value="">{title}</option>
        {first.data.devices.map((name) => (
          <option key={name} value={name}>
            as if on {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Without rates there are points, but no roofs. */
function NoRates({ runs, isLive }: { runs: readonly Roofed[]; isLive: boolean }) {
  const [first] = runs;
  if (first === undefined) return null;
  const whose = runs.length > 1 ? ` of ${runs.map((run) => run.label).join(", ")}` : "";
  return (
    <div class="notice no-rates">
      <p>
        <b>
          The rates of {deviceOf(first.data)}
          {whose} are not known:
        </b>{" "}
        the chart has no roofs, and nothing tells what could be saved.
        {isLive && " Choose a device below to see the run as if on that one."}
      </p>
      <p class="soft">
        <code>genscope report --view roofline --device NAME</code> sets it beside a device in a
        terminal; <code>--device cpu</code> measures the machine that it runs on, and{" "}
        <code>--devices FILE</code> takes a table of your own.
      </p>
    </div>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <Empty title="No work is left by the filters">
        <p>Remove a filter above to see more.</p>
      </Empty>
    );
  }
  return (
    <Empty title="The work behind the time is not known">
      <p>
        FLOPs and bytes are counted from the shapes of ops. Record with{" "}
        <code>genscope.collect.Collector</code>, or with <code>record_shapes=True</code> of torch's
        profiler. Work that a CUDA graph replays has no shapes: record it without graphs.
      </p>
    </Empty>
  );
}
