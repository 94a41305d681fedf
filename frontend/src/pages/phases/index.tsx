// The page Phases: what prefill, decode, denoising and encoding take in the chosen runs.

import { useMemo, useRef } from "preact/hooks";
import type { ServedStep } from "../../api/phases";
import { download, downloadCsv, fileName } from "../../browser";
import { AfterPaint } from "../../components/AfterPaint";
import { Answered, useEachAnswered } from "../../components/Answered";
import { Segmented } from "../../components/controls";
import { Empty, Warnings } from "../../components/notices";
import { SaveButtons, TreeControls, treeState } from "../../components/panel";
import { TreeTable } from "../../components/TreeTable";
import { ZoomButtons } from "../../components/ZoomButtons";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { within } from "../../drawing/stretch";
import { withValues } from "../../filters/registry";
import type { Store } from "../../state/location";
import type { Axis, Range, State } from "../../state/url";
import { openableKeys } from "../../table/model";
import { NONE, phaseColor } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import { useFiner } from "../overview/finer";
import { SHORTEST_NS, useRange } from "../overview/range";
import { deviceNames } from "../overview/words";
import type { PageProps } from "../registry";
import { drawBand, layoutOf } from "./band";
import { phasesCsv, stretchesCsv } from "./export";
import { Figures } from "./Figures";
import { loadPhased, type Phased, withoutCalls } from "./phased";
import { Served } from "./Served";
import { bandInput, Strips, type View, wholeOf } from "./Strips";
import { columnsOf, phaseNodes, shortened } from "./table";
import { caption, headline } from "./words";

export function PhasesPage(props: PageProps) {
  const answered = useEachAnswered(props, (run, ask) => loadPhased(props.client, run, ask));
  return (
    <Answered of={answered} title="The phases could not be found" {...props}>
      {(phased) => <Content {...props} phased={phased} />}
    </Answered>
  );
}

function Content(props: PageProps & { phased: readonly Phased[] }) {
  const { phased, state, store, mode } = props;
  const words = useMemo(() => headline(phased), [phased]);
  const inference = useMemo(() => phased.filter((run) => !run.phases.training), [phased]);
  const isKnown = inference.some((run) => run.phases.phases.some((row) => row.phase !== null));
  const [range, setRange] = useRange(store, state);

  // The same as long as only the zoom changes, so that it is not drawn with each of its steps.
  const below = useMemo(
    () => (
      <AfterPaint>
        {() => <Below runs={inference} all={phased} state={state} store={store} mode={mode} />}
      </AfterPaint>
    ),
    [inference, phased, state, store, mode],
  );

  return (
    <>
      <h1>{words.sentence}</h1>
      <p class="detail">{words.detail}</p>
      {inference.length === 0 && <Training store={store} state={state} />}
      {inference.length > 0 && !isKnown && <Unknown isFiltered={props.selection.length > 0} />}
      {inference.length > 0 && (
        <Chart {...props} title={words.sentence} range={range} onRange={setRange} />
      )}
      <Warnings
        groups={phased.map((run) => ({
          title: phased.length > 1 ? run.label : "",
          warnings: run.phases.warnings,
        }))}
      />
      {inference.length > 0 && below}
    </>
  );
}

function Below(props: {
  runs: readonly Phased[];
  all: readonly Phased[];
  state: State;
  store: Store;
  mode: Mode;
}) {
  const { runs, all, state, store, mode } = props;

  function showStep(run: Phased, { start_ns, dur_ns }: ServedStep): void {
    const from = start_ns - run.overview.strip.start_ns;
    const room = 0.2 * dur_ns;
    store.write(
      { range: within(from - room, from + dur_ns + room, [0, wholeOf(all)], SHORTEST_NS) },
      "push",
    );
  }

  return (
    <>
      <Figures runs={runs} />
      <Table runs={runs} state={state} store={store} mode={mode} />
      <Served runs={runs} state={state} store={store} mode={mode} onShow={showStep} />
    </>
  );
}

function Training(props: { store: Store; state: State }) {
  return (
    <Empty title="Training has no phases, nor has an evaluation by a loss">
      <p>
        Prefill, decode, denoising and encoding are phases of inference. What training has are
        passes: forward, backward, recompute and optimizer.
      </p>
      <p>
        <button
          type="button"
          onClick={() => props.store.write({ page: "operators", table: "passes" }, "push")}
        >
          Show the passes
        </button>
      </p>
    </Empty>
  );
}

function Unknown({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <Empty title="No phase is left by the filters">
        <p>Remove a filter above to see more.</p>
      </Empty>
    );
  }
  return (
    <Empty title="Nothing tells the phases of this trace">
      <p>
        Phases are told from the shapes of attention calls and from components. Record with{" "}
        <code>genscope.collect.Collector</code> around the pipeline, or with{" "}
        <code>record_shapes=True</code> and <code>with_stack=True</code> of torch's profiler.
      </p>
    </Empty>
  );
}

function Chart(
  props: PageProps & {
    phased: readonly Phased[];
    title: string;
    range: Range | null;
    onRange: (range: Range | null) => void;
  },
) {
  const { client, phased, selection, state, store, mode, range, onRange } = props;
  const timed = useMemo(() => withoutCalls(selection), [selection]);
  const finer = useFiner(client, phased, timed, range);
  const { strips } = finer;
  const view = useMemo(
    (): View => ({ axis: state.axis, range, finer: strips, mode }),
    [state.axis, range, strips, mode],
  );
  const explained = caption(phased, range === null ? state.axis : "shared");
  const file = fileName("phases", ...phased.map((run) => run.label));

  async function savePicture(): Promise<void> {
    const picture = await pictureOf({
      title: props.title,
      caption: explained,
      mode,
      names: [],
      hasUnlinked: false,
      parts: phased.map((run) => {
        const input = bandInput(run, phased, view, PICTURE_ROOM);
        return {
          text: `${run.label}, ${deviceNames(run.overview)}: ${run.phases.sentence}`,
          height: layoutOf(input).height,
          draw: (context) => drawBand(context, input),
        };
      }),
    });
    download(`${file}.png`, picture);
  }

  function filterBy(phase: string | null): void {
    store.write({ filters: withValues(state.filters, "phase", [phase ?? NONE]) }, "push");
  }

  return (
    <section class="panel chart-panel">
      <div class="panel-head">
        <h2>Phases over time</h2>
        {phased.length > 1 && (
          <Segmented
            label="Axis of time"
            choices={[
              { id: "shared", title: "One scale", hint: "All runs have one scale of time" },
              { id: "own", title: "Full width each", hint: "Each run fills the width" },
            ]}
            value={state.axis}
            onChange={(id) => store.write({ axis: id as Axis, range: null }, "push")}
          />
        )}
        <ZoomButtons
          whole_ns={wholeOf(phased)}
          range={range}
          least_ns={SHORTEST_NS}
          start_ns={phased[0]?.overview.strip.start_ns ?? 0}
          hint={`Drag over a strip to zoom in${client.isLive ? "; a click on a phase filters by it" : ""}`}
          onRange={onRange}
        />
        {finer.error && (
          <span class="soft" role="status">
            Finer bins could not be read: {finer.error.message}
          </span>
        )}
        <span class="space" />
        <SaveButtons
          csvHint="The stretches that are shown, exact"
          onCsv={() => downloadCsv(`${file}.csv`, stretchesCsv(phased, range))}
          onPng={savePicture}
        />
      </div>
      <figure class="strips">
        <Strips
          runs={phased}
          view={view}
          onRange={onRange}
          onPhase={client.isLive ? filterBy : null}
        />
        <figcaption>{explained}</figcaption>
      </figure>
    </section>
  );
}

function Table(props: { runs: readonly Phased[]; state: State; store: Store; mode: Mode }) {
  const { runs, state, store, mode } = props;
  const box = useRef<HTMLElement>(null);
  const nodes = useMemo(() => phaseNodes(runs), [runs]);
  const columns = useMemo(() => columnsOf(runs), [runs]);
  const openable = useMemo(() => openableKeys(nodes), [nodes]);
  const file = fileName("phase-figures", ...runs.map((run) => run.label));
  return (
    <section class="panel phases-table" ref={box}>
      <div class="panel-head">
        <h2>Phases</h2>
        <TreeControls
          state={state}
          store={store}
          box={box}
          openable={openable}
          csvHint="A line for each phase and each reason, exact"
          onCsv={() => downloadCsv(`${file}.csv`, phasesCsv(runs))}
        />
      </div>
      <TreeTable
        label="Phases"
        nameTitle="phase, and why"
        nodes={nodes}
        columns={columns}
        shorten={shortened}
        swatchOf={(row, depth) => (depth === 0 ? phaseColor(row.phase, mode) : null)}
        {...treeState(state, store)}
        nothing={
          nodes.length === 0
            ? "There is no time in any phase."
            : "No phase or reason has these words."
        }
      />
    </section>
  );
}
