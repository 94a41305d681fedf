// The page Scaling: how time, FLOPs and memory of the chosen runs grow with what differs in them.

import { useMemo } from "preact/hooks";
import type { Selection } from "../../api/client";
import type { Scaling, ScalingSweep } from "../../api/scaling";
import { AfterPaint } from "../../components/AfterPaint";
import { Answered, useAnswered } from "../../components/Answered";
import { Empty, Warnings } from "../../components/notices";
import type { PageProps } from "../registry";
import { Chart } from "./Chart";
import { Crossovers, Fits, Growing } from "./Tables";
import { PARAMETERS } from "./words";

export function ScalingPage(props: PageProps) {
  const { client, runs, state } = props;
  // The answer does not depend on the order, and a report holds it in this one.
  const ids = runs.map((run) => run.id).toSorted();
  const by = client.isLive ? (state.of.scaling_by ?? "") : "";
  const more: Selection = by === "" ? [] : [["by", by]];
  const answered = useAnswered<Scaling>(props, (ask) => client.view("scaling", ids, ask), {
    more,
    isAsked: client.holds("scaling", ids),
  });
  if (!client.holds("scaling", ids)) {
    return (
      <>
        <h1>Not all runs are chosen</h1>
        <p class="detail">A report holds the sweep of all of its runs: choose them all above.</p>
      </>
    );
  }
  return (
    <Answered of={answered} title="The runs could not be set against each other" {...props}>
      {(scaling) => <Content {...props} scaling={scaling} by={by} />}
    </Answered>
  );
}

function Content(props: PageProps & { scaling: Scaling; by: string }) {
  const { scaling, by, runs, state, store, client, mode } = props;
  const { sweeps } = scaling;
  const sweep = sweeps.find((each) => each.name === state.of.scaling_sweep) ?? sweeps[0];
  const labelOf = useMemo(() => {
    const labels = new Map(runs.map((run) => [run.id, run.label]));
    return (id: string) => labels.get(id) ?? id;
  }, [runs]);
  const write = (name: string, value: string) =>
    store.write({ of: { ...state.of, [name]: value } }, "push");
  const parts = { state, store, mode, labelOf };
  return (
    <>
      <h1>{sweep?.sentence ?? scaling.sentence}</h1>
      <p class="detail">{about(sweep)}</p>
      {(client.isLive || sweeps.length > 1) && (
        <div class="choices">
          {client.isLive && (
            <label>
              against{" "}
              <select
                value={by}
                onChange={(event) => write("scaling_by", event.currentTarget.value)}
              >
                <option value="">what differs</option>
                {PARAMETERS.map(({ id, title }) => (
                  <option key={id} value={id}>
                    {title}
                  </option>
                ))}
              </select>
            </label>
          )}
          {sweeps.length > 1 && (
            <label>
              sweep{" "}
              <select
                value={sweep?.name}
                onChange={(event) => write("scaling_sweep", event.currentTarget.value)}
              >
                {sweeps.map(({ name }) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
      )}
      {sweep === undefined && <Nothing by={by} />}
      {sweep && <Chart key={sweep.name} sweep={sweep} {...parts} />}
      <LeftOut scaling={scaling} labelOf={labelOf} />
      <Warnings
        groups={[
          { title: "", warnings: scaling.warnings },
          { title: sweep?.name ?? "", warnings: sweep?.warnings ?? [] },
        ]}
      />
      {sweep && (
        <AfterPaint>
          {() => (
            <>
              <Growing sweep={sweep} />
              <Fits sweep={sweep} state={state} />
              <Crossovers sweep={sweep} state={state} />
            </>
          )}
        </AfterPaint>
      )}
    </>
  );
}

/** What the runs of a sweep have in common. */
function about(sweep: ScalingSweep | undefined): string {
  if (sweep === undefined) return "";
  return Object.entries(sweep.fixed)
    .map(([name, value]) => `${name} ${value}`)
    .join(" · ");
}

function LeftOut(props: { scaling: Scaling; labelOf: (id: string) => string }) {
  const { left_out } = props.scaling;
  if (left_out.length === 0) return null;
  return (
    <details class="notice left-out" open={left_out.length <= 4}>
      <summary>
        {left_out.length === 1 ? "1 run is" : `${left_out.length} runs are`} in no sweep
      </summary>
      <ul>
        {left_out.map(({ run, reason }) => (
          <li key={run}>
            <b>{props.labelOf(run)}</b>: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Nothing({ by }: { by: string }) {
  return (
    <Empty title="No runs that differ in size alone">
      <p>
        Choose two runs or more of one model above that differ in one thing: image size, frames,
        batch, prompt length or tokens; three or more for an exponent.
        {by !== "" && " Or set them against what differs."}
      </p>
      <p>Such runs are recorded, with baseline and with fused attention, by</p>
      <pre>genscope suite run --models stable-diffusion --image-size 64,128,256</pre>
      <p>
        and of a model of your own by <code>genscope.collect.Collector</code> with a{" "}
        <code>workload</code> that says what differs.
      </p>
    </Empty>
  );
}
