// The main chart: what grows against the swept parameter, with the laws fitted to it.

import { useMemo } from "preact/hooks";
import { sizeMark } from "../../amounts";
import type { Group, Metric, ScalingSweep } from "../../api/scaling";
import { download, downloadCsv, fileName } from "../../browser";
import { Segmented } from "../../components/controls";
import { hiddenOf, type LawKey, LawLegend, toggled } from "../../components/LawLegend";
import { SaveButtons } from "../../components/panel";
import { keysOf } from "../../drawing/lawkeys";
import { PowerLaws } from "../../drawing/PowerLaws";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { drawLaws, type Placed } from "../../drawing/powerlaws";
import { count, threeDigits } from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import type { Mode } from "../../theme/mode";
import { pointsCsv } from "./export";
import {
  colorOf,
  figureOf,
  fitOf,
  isFitted,
  littleOf,
  meetingsOf,
  namesOf,
  type SweptSeries,
  seriesOf,
} from "./lines";
import { caption, GROUPS, lineName, MEASURES, measureOf, parameterTitle, powerText } from "./words";

const HEIGHT = 420;

export function metricOf(state: State): Metric {
  return measureOf((state.of.scaling_metric ?? "") as Metric).id;
}

/** The group in view: the one that was chosen, else the first that the metric was fitted for. */
export function groupOf(state: State, sweep: ScalingSweep): Group {
  const metric = metricOf(state);
  // These are of a run, not of a part of it.
  if (metric === "largest_score_bytes" || metric === "peak_memory_bytes") return "total";
  const chosen = GROUPS.find((each) => each.id === state.of.scaling_group);
  return (chosen ?? GROUPS.find(({ id }) => isFitted(sweep, metric, id)))?.id ?? "category";
}

export function Chart(props: {
  sweep: ScalingSweep;
  state: State;
  store: Store;
  mode: Mode;
  labelOf: (id: string) => string;
}) {
  const { sweep, state, store, mode, labelOf } = props;
  const [metric, group] = [metricOf(state), groupOf(state, sweep)];
  const measure = measureOf(metric);
  const write = (change: Record<string, string>, how: "push" | "replace") =>
    store.write({ of: { ...state.of, ...change } }, how);

  const text = state.of.scaling_hidden;
  const hidden = useMemo(
    () => (!text ? new Set(littleOf(sweep, metric, group)) : new Set(hiddenOf(text))),
    [text, sweep, metric, group],
  );
  const all = useMemo(() => seriesOf(sweep, metric, group, mode), [sweep, metric, group, mode]);
  const series = useMemo(() => all.filter((each) => !hidden.has(each.of)), [all, hidden]);
  const meetings = useMemo(
    () => meetingsOf(sweep, metric, group, series),
    [sweep, metric, group, series],
  );
  const x = useMemo(() => {
    const labels = new Map(
      sweep.lines.flatMap((line) => line.points.map((point) => [point.value, point.label])),
    );
    return {
      title: parameterTitle(sweep),
      say: (value: number) => labels.get(value) ?? count(value),
    };
  }, [sweep]);
  const y = useMemo(
    () => ({
      title: measure.title,
      say: measure.isBinary ? sizeMark : measure.say,
      isBinary: measure.isBinary ?? false,
    }),
    [measure],
  );
  const explained = caption(sweep);
  const file = fileName("scaling", sweep.name, metric, group);

  async function savePicture(): Promise<void> {
    const input = { series, meetings, x, y, mode, width: PICTURE_ROOM, height: HEIGHT };
    const picture = await pictureOf({
      title: sweep.sentence,
      caption: explained,
      mode,
      names: [],
      hasUnlinked: false,
      parts: [
        keysOf(series, mode, PICTURE_ROOM),
        { text: "", height: HEIGHT, draw: (context) => drawLaws(context, input) },
      ],
    });
    download(`${file}.png`, picture);
  }

  const keys = namesOf(sweep, group)
    .filter((name) => all.some((each) => each.of === name))
    .map((name, at): LawKey => {
      const fits = sweep.lines.map((line) => fitOf(line, metric, group, name));
      return {
        id: name,
        name,
        detail: fits.map((fit) => (fit ? powerText(fit) : "–")).join(" → "),
        hint: `The power that it grows with, of ${sweep.lines.map(lineName).join(", then ")}`,
        color: colorOf(group, name, at, mode),
        isShown: !hidden.has(name),
      };
    });

  return (
    <section class="panel chart-panel">
      <div class="panel-head wraps tight">
        <Segmented
          label="What grows"
          choices={MEASURES.filter(({ id }) => id === metric || isTold(sweep, id)).map(
            ({ id, title, hint }) => ({ id, title, hint }),
          )}
          value={metric}
          onChange={(id) => write({ scaling_metric: id, scaling_hidden: "" }, "push")}
        />
        <Segmented
          label="Of what"
          choices={GROUPS.map((each) => ({
            ...each,
            isDisabled: each.id !== group && !hasAny(sweep, metric, each.id),
          }))}
          value={group}
          onChange={(id) => write({ scaling_group: id, scaling_hidden: "" }, "push")}
        />
        <span class="space" />
        <SaveButtons
          csvHint="A line for each run and part, exact"
          onCsv={() => downloadCsv(`${file}.csv`, pointsCsv(sweep, labelOf))}
          onPng={savePicture}
        />
      </div>
      <figure class="strips">
        {series.length > 0 ? (
          <PowerLaws
            label={`${measure.title} against ${x.title}: arrow keys go through the points`}
            {...{ series, meetings, x, y, mode, height: HEIGHT }}
            tip={(point) => <Tip {...{ point, sweep, metric, group, labelOf }} />}
            say={(point) => said(point, measure.say, x.say)}
          />
        ) : (
          <p class="soft">
            {all.length > 0
              ? "Nothing is shown: choose a name below."
              : "No run tells this figure, or it is 0 in all of them."}
          </p>
        )}
        <LawLegend
          label="Lines"
          keys={keys}
          onToggle={(name) =>
            // An empty text is none in a link, which would stand for what is hidden at first.
            write({ scaling_hidden: toggled(hidden, name) || "\n" }, "replace")
          }
        />
        {sweep.lines.length > 0 && (
          <ul class="legend roles" aria-label="Kinds of lines">
            {sweep.lines.map((line) => (
              <li key={`${line.role} ${line.attention}`} title={line.reason}>
                <i class={line.role === "fused" ? "dashed" : ""} />
                {lineName(line)}
                <span class="soft">
                  {line.role}, {count(line.points.length)}{" "}
                  {line.points.length === 1 ? "run" : "runs"}
                </span>
              </li>
            ))}
          </ul>
        )}
        <figcaption>{explained}</figcaption>
      </figure>
    </section>
  );
}

/** Whether any run has the figure at all. */
function isTold(sweep: ScalingSweep, metric: Metric): boolean {
  return GROUPS.some(({ id }) => hasAny(sweep, metric, id));
}

function hasAny(sweep: ScalingSweep, metric: Metric, group: Group): boolean {
  return namesOf(sweep, group).some((name) =>
    sweep.lines.some((line) =>
      line.points.some(
        (point) => (figureOf(point, metric, { group, name, component: null }) ?? 0) > 0,
      ),
    ),
  );
}

function said(
  { series, point }: Placed,
  value: (value: number) => string,
  size: (value: number) => string,
): string {
  return `${series.name} at ${size(point.x)}: ${value(point.y)}`;
}

function Tip(props: {
  point: Placed;
  sweep: ScalingSweep;
  metric: Metric;
  group: Group;
  labelOf: (id: string) => string;
}) {
  const { point, sweep, metric, group, labelOf } = props;
  const series = point.series as SweptSeries;
  const run = series.runs[point.at];
  if (run === undefined) return null;
  const measure = measureOf(metric);
  const amount = run.amounts.find(
    (each) => each.group === group && each.name === series.of && each.component === null,
  );
  const fit = fitOf(series.line, metric, group, series.of);
  return (
    <>
      <b>{series.of}</b>
      <span class="of">
        {lineName(series.line)}, {labelOf(run.run)}
      </span>
      <dl>
        <div>
          <dt>{parameterTitle(sweep)}</dt>
          <dd>{run.label}</dd>
        </div>
        <div>
          <dt>{measure.title}</dt>
          <dd>{measure.say(point.point.y)}</dd>
          <dd class="exact">{measure.exact(point.point.y)}</dd>
        </div>
        {fit && (
          <div>
            <dt>grows with the power</dt>
            <dd>{powerText(fit)}</dd>
          </div>
        )}
        {metric === "flops" && amount && amount.unknown_ns > 0 && (
          <div>
            <dt>time without known FLOPs</dt>
            <dd>{measureOf("time_ns").say(amount.unknown_ns)}</dd>
          </div>
        )}
        {run.steps !== null && (
          <div>
            <dt>steps recorded</dt>
            <dd>{threeDigits(run.steps)}</dd>
          </div>
        )}
      </dl>
    </>
  );
}
