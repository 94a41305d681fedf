// The page Space and time: temporal against spatial attention in the chosen runs.

import { useMemo } from "preact/hooks";
import type { FramesSweep, SpaceTime } from "../../api/spacetime";
import { download, downloadCsv, fileName } from "../../browser";
import { AfterPaint } from "../../components/AfterPaint";
import { Answered, useAnswered, useEachView } from "../../components/Answered";
import { Empty, ErrorNotice, Warnings } from "../../components/notices";
import { SaveButtons } from "../../components/panel";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import type { PageProps } from "../registry";
import { AxesTable } from "./AxesTable";
import { drawBars, layoutOf } from "./bars";
import { axesCsv } from "./export";
import { Layers } from "./Layers";
import { PairedBars } from "./PairedBars";
import { Sweep } from "./Sweep";
import { caption, headline, type Spaced } from "./words";

export function SpaceTimePage(props: PageProps) {
  const { client, runs } = props;
  const answered = useEachView<SpaceTime>(props, "spatial-temporal");
  const labelOf = (id: string) => runs.find((run) => run.id === id)?.label ?? id;
  const { data, current } = answered;

  // A sweep needs runs of several sizes, so that nothing is asked for where there are none.
  const sized = (data ?? []).filter((run) => run.data.frames !== null);
  const isSweep = new Set(sized.map((run) => run.data.frames)).size > 1;
  const ids = data?.map((run) => run.id) ?? [];
  const sweep = useAnswered(props, (ask) => client.view<FramesSweep>("frames", ids, ask), {
    on: ids,
    isAsked: isSweep && current !== null && client.holds("frames", ids),
  });
  const shownSweep = isSweep && sweep.data && sweep.data.points.length > 0 ? sweep.data : null;

  return (
    <Answered of={answered} title="Spatial and temporal attention could not be found" {...props}>
      {(spaced) => (
        <>
          {sweep.error && (
            <ErrorNotice
              title="The runs could not be set against their frames"
              message={sweep.error.message}
              onRetry={sweep.again}
            />
          )}
          <Content {...props} spaced={spaced} sweep={shownSweep} labelOf={labelOf} />
        </>
      )}
    </Answered>
  );
}

function Content(
  props: PageProps & {
    spaced: readonly Spaced[];
    sweep: FramesSweep | null;
    labelOf: (id: string) => string;
  },
) {
  const { spaced, sweep, state, store, mode, labelOf } = props;
  const words = useMemo(() => headline(spaced, sweep), [spaced, sweep]);
  const known = useMemo(() => spaced.filter((run) => run.data.axes.length > 0), [spaced]);
  const explained = caption(known);
  const file = fileName("space-time", ...known.map((run) => run.label));

  async function savePicture(): Promise<void> {
    const input = { runs: known, mode, width: PICTURE_ROOM };
    const picture = await pictureOf({
      title: words.sentence,
      caption: explained,
      mode,
      names: [],
      hasUnlinked: false,
      parts: [
        {
          text: "",
          height: layoutOf(input).height,
          draw: (context) => drawBars(context, input),
        },
      ],
    });
    download(`${file}.png`, picture);
  }

  return (
    <>
      <h1>{words.sentence}</h1>
      <p class="detail">{words.detail}</p>
      {known.length === 0 && <Nothing isFiltered={props.selection.length > 0} />}
      {known.length > 0 && (
        <section class="panel chart-panel">
          <div class="panel-head">
            <h2>Attention by axis</h2>
            <span class="space" />
            <SaveButtons
              csvHint="A line for each axis of each run, exact"
              onCsv={() => downloadCsv(`${file}.csv`, axesCsv(known))}
              onPng={savePicture}
            />
          </div>
          <figure class="strips">
            <PairedBars label={words.sentence} runs={known} mode={mode} />
            <figcaption>{explained}</figcaption>
          </figure>
          <AxesTable runs={known} mode={mode} />
        </section>
      )}
      <Warnings
        groups={spaced.map((run) => ({
          title: spaced.length > 1 ? run.label : "",
          warnings: run.data.warnings,
        }))}
      />
      {known.length > 0 && (
        <AfterPaint>
          {() => (
            <>
              {sweep && <Sweep sweep={sweep} labelOf={labelOf} mode={mode} />}
              <Layers runs={known} state={state} store={store} mode={mode} />
            </>
          )}
        </AfterPaint>
      )}
    </>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <Empty title="No attention is left by the filters">
        <p>Remove a filter above to see more.</p>
      </Empty>
    );
  }
  return (
    <Empty title="No attention with known shapes">
      <p>
        Space and time are told apart by the shapes of attention calls. Record with{" "}
        <code>genscope.collect.Collector</code>, which notes them, or with{" "}
        <code>record_shapes=True</code> of torch's profiler. Work that a CUDA graph replays has no
        shapes: record it without graphs.
      </p>
    </Empty>
  );
}
