// The page Trace: a run in the Perfetto UI. Nothing is asked of the UI's host before somebody
// presses the button.

import { useEffect, useState } from "preact/hooks";
import type { Form, FormName, Forms } from "../../api/trace";
import type { Run } from "../../api/types";
import { Segmented } from "../../components/controls";
import { ErrorNotice, Reading } from "../../components/notices";
import { RunChoice } from "../../components/panel";
import { stretch } from "../../drawing/axis";
import { bytes } from "../../format";
import { useLoaded } from "../../state/loaded";
import type { PageProps } from "../registry";
import { Handed } from "./Handed";
import { spanOf, wantsOriginal, withForm, withSpan } from "./link";
import { addressOf, type Span } from "./protocol";

/** More than this the UI cannot read: its trace processor has 4 GB of memory in a browser. */
const MOST_BYTES = 2e9;

/** Above this the person is told what it takes. */
const LARGE_BYTES = 500e6;

/** One opening of the UI, as it was asked for. */
interface Opening {
  number: number;
  tab: Window | null;
}

export function TracePage(props: PageProps) {
  const { client, runs, state } = props;
  const run = runs.find((each) => each.id === state.shown) ?? (runs[0] as Run);
  const key = client.isLive ? JSON.stringify([run.id, run.size_bytes]) : null;
  const loaded = useLoaded<Forms>(key, (ask) => client.view("trace-forms", [run.id], ask));
  const forms = loaded.dataKey === key ? loaded.data : null;

  // biome-ignore lint/correctness/useExhaustiveDependencies: reading has changed what `runs` says.
  useEffect(() => {
    if (loaded.data) props.onRead();
  }, [loaded.data]);

  return (
    <>
      <h1>{run.label} in the Perfetto UI</h1>
      <p class="detail">
        Every event with its arguments and, in the annotated form, what GenScope found drawn beside
        them: attention calls, phases, modules, sequence lengths.
      </p>
      {client.isLive ? (
        <>
          {loaded.isLoading && (
            <Reading
              progress={loaded.progress}
              labelOf={() => `${run.label} for Perfetto`}
              onStop={props.onStop}
            />
          )}
          {loaded.error && (
            <ErrorNotice
              title="There is no annotated form"
              message={loaded.error.message}
              onRetry={loaded.again}
            />
          )}
          <Chosen key={run.id} {...props} run={run} forms={forms} isMade={!loaded.isLoading} />
        </>
      ) : (
        <p class="hint">
          A report holds figures and no trace. <code>genscope open --annotated TRACE</code> opens
          one in Perfetto, where the trace is.
        </p>
      )}
    </>
  );
}

function Chosen(props: PageProps & { run: Run; forms: Forms | null; isMade: boolean }) {
  const { client, runs, state, store, run, forms, isMade } = props;
  const [opening, setOpening] = useState<Opening | null>(null);
  const [isHeldBack, setHeldBack] = useState(false);
  const original: Form = forms?.original ?? {
    file: run.file,
    size_bytes: run.size_bytes,
    starts_ns: null,
  };
  const annotated = forms?.annotated ?? null;
  const hasNone = annotated === null && isMade;
  const name: FormName = wantsOriginal(state.of) || hasNone ? "original" : "annotated";
  const form = name === "original" ? original : annotated;
  const span = spanOf(state.of);
  const address = client.address("trace", run.id, [["form", name]]);
  const isTooLarge = form !== null && form.size_bytes > MOST_BYTES;

  function open(tab: Window | null): void {
    setHeldBack(false);
    setOpening((before) => ({ number: (before?.number ?? 0) + 1, tab }));
  }

  function openTab(): void {
    const tab = window.open(addressOf(form?.starts_ns ?? null, span), "_blank");
    if (tab === null) setHeldBack(true);
    else open(tab);
  }

  return (
    <>
      <section class="panel">
        <div class="panel-head">
          <h2>Form</h2>
          <Segmented
            label="Form"
            choices={[
              {
                id: "annotated",
                title: annotated ? `Annotated, ${bytes(annotated.size_bytes)}` : "Annotated",
                hint: forms?.reason ?? "A native trace with what GenScope found drawn on it",
                isDisabled: hasNone,
              },
              {
                id: "original",
                title: `Original, ${bytes(original.size_bytes)}`,
                hint: `${original.file}, as it lies there`,
              },
            ]}
            value={name}
            onChange={(id) => {
              setOpening(null);
              store.write({ of: withForm(state.of, id) }, "push");
            }}
          />
          {runs.length > 1 && (
            <RunChoice
              word="of"
              runs={runs}
              shown={run.id}
              onShow={(id) => store.write({ shown: id, of: withSpan(state.of, null) }, "push")}
            />
          )}
        </div>
        <div class="forms">
          {forms?.reason && <p class="soft">{forms.reason}</p>}
          {span !== null && (
            <Selection
              span={span}
              isKnown={form === null || form.starts_ns !== null}
              onWhole={() => store.write({ of: withSpan(state.of, null) }, "push")}
            />
          )}
          <div class="choices">
            <button
              type="button"
              class="main"
              disabled={form === null || isTooLarge}
              onClick={() => open(null)}
            >
              Open in Perfetto
            </button>
            <button type="button" disabled={form === null || isTooLarge} onClick={openTab}>
              In a tab of its own
            </button>
            {form !== null && address !== null && (
              <a class="button" href={address.href} download={form.file}>
                Download {form.file}
              </a>
            )}
            {form === null && <span class="soft">The annotated form is being made.</span>}
          </div>
          {form !== null && <Size size_bytes={form.size_bytes} file={run.file} />}
          {isHeldBack && (
            <p role="alert">
              The browser held the tab back. Allow pop-ups of this page, or open it here.
            </p>
          )}
          <p class="soft">
            The button loads the UI, a page, from ui.perfetto.dev; nothing is asked of that host
            before. The trace goes from here to that page inside your browser and to no server. From
            a terminal <code>genscope open --annotated {run.file}</code> does the same.
          </p>
        </div>
      </section>
      {opening !== null && form !== null && address !== null && (
        <Handed
          key={`${opening.number} ${name}`}
          address={address}
          title={`${run.label} (${name})`}
          file={form.file}
          size_bytes={form.size_bytes}
          starts_ns={form.starts_ns}
          span={span}
          tab={opening.tab}
          onClose={() => setOpening(null)}
        />
      )}
    </>
  );
}

function Selection(props: { span: Span; isKnown: boolean; onWhole: () => void }) {
  const { span, isKnown, onWhole } = props;
  return (
    <p>
      {isKnown
        ? `It opens at what was selected, ${stretch(...span)} from the first event. `
        : `It opens as a whole: where ${stretch(...span)} is in this form is not known. `}
      <button type="button" class="link" onClick={onWhole}>
        Show the whole trace
      </button>
    </p>
  );
}

function Size({ size_bytes, file }: { size_bytes: number; file: string }) {
  if (size_bytes > MOST_BYTES) {
    return (
      <p role="alert">
        {bytes(size_bytes)} is more than the UI can read in a browser, about {bytes(MOST_BYTES)}.
        Run <code>genscope export {file}</code>, then <code>trace_processor_shell --httpd</code>{" "}
        with the result, and open ui.perfetto.dev on that machine: it uses what runs there.
      </p>
    );
  }
  if (size_bytes < LARGE_BYTES) return null;
  return (
    <p>
      {bytes(size_bytes)} goes into the memory of your browser, and the UI takes several times as
      much to read it.
    </p>
  );
}
