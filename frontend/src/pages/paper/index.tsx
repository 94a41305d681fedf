// The page Paper: the paper's claims and figures, from the runs of the suite under the logdir.

import { useEffect, useReducer } from "preact/hooks";
import type { Paper } from "../../api/paper";
import { AfterPaint } from "../../components/AfterPaint";
import { Empty, ErrorNotice } from "../../components/notices";
import { bytes, count } from "../../format";
import { useLoaded } from "../../state/loaded";
import type { PageProps } from "../registry";
import { Badge, Claims } from "./Claims";
import { Figures } from "./Figures";
import { type Reader, useReader } from "./reading";
import { settingText, VERDICTS } from "./words";

/** The state's name, in the bag `of`. */
const SETTING = "paper_setting";

export function PaperPage(props: PageProps) {
  const { client } = props;
  const [version, more] = useReducer((n: number) => n + 1, 0);
  const loaded = useLoaded<Paper>(`${version}`, (ask) => client.view("paper", [], ask));
  const paper = loaded.data;
  const reader = useReader(client, paper, () => more(undefined));

  // biome-ignore lint/correctness/useExhaustiveDependencies: reading has changed what `runs` says.
  useEffect(() => {
    if (paper) props.onRead();
  }, [paper]);

  return (
    <>
      {loaded.isLoading && paper === null && <p class="reading">Asking TensorBoard…</p>}
      {loaded.error && (
        <ErrorNotice
          title="The report could not be made"
          message={loaded.error.message}
          onRetry={loaded.again}
        />
      )}
      {paper && <Read reader={reader} />}
      {paper && <Content {...props} paper={paper} reader={reader} />}
    </>
  );
}

function Read({ reader }: { reader: Reader }) {
  const { unread, done, of, progress } = reader;
  if (reader.isReading) {
    const [file] = Object.values(progress);
    const part = file ? Math.min(1, file.read_bytes / Math.max(1, file.size_bytes)) : 0;
    return (
      <ul class="reading" aria-live="polite">
        <li>
          <progress max={of} value={done + part} />
          <span>
            Reading run {done + 1} of {of}; what is read already is shown below.
          </span>
          <button type="button" onClick={reader.stop}>
            Stop
          </button>
        </li>
      </ul>
    );
  }
  if (reader.error) {
    return (
      <ErrorNotice title="Reading the runs stopped" message={reader.error} onRetry={reader.start} />
    );
  }
  if (unread.length === 0) return null;
  return (
    <div class="notice stopped" role="status">
      <span>
        {unread.length === 1 ? "1 run" : `${count(unread.length)} runs`} of the suite, together{" "}
        {bytes(reader.bytes)}, {unread.length === 1 ? "is" : "are"} not read yet.
      </span>
      <button type="button" onClick={reader.start}>
        {unread.length === 1 ? "Read it" : "Read them"}
      </button>
    </div>
  );
}

function Content(props: PageProps & { paper: Paper; reader: Reader }) {
  const { paper, reader, state, store, mode } = props;
  const { measured } = paper.figures;
  const chosen = Number(state.of[SETTING] ?? 0);
  const panels = measured[chosen] ?? measured[0];
  if (panels === undefined) return null;
  const isEmpty = paper.settings.length === 0 && reader.unread.length === 0;
  return (
    <>
      <h1>{paper.sentence}</h1>
      <p class="detail">{paper.source}</p>
      <div class="paper-bar">
        {VERDICTS.map(({ id, hint }) => (
          <span key={id} title={hint}>
            <b>{paper.claims[id] ?? 0}</b> <Badge verdict={id} />
          </span>
        ))}
        <span class="soft">of {paper.rows.length} claims</span>
        {paper.settings.length > 0 && (
          <label>
            Figures from{" "}
            <select
              value={String(measured.indexOf(panels))}
              onChange={(event) =>
                store.write({ of: { ...state.of, [SETTING]: event.currentTarget.value } }, "push")
              }
            >
              {paper.settings.map((setting, at) => (
                <option key={settingText(setting)} value={String(at)}>
                  {settingText(setting)}: {setting.runs} runs, {setting.pairs} pairs
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {isEmpty && <Nothing paper={paper} />}
      <Figures paper={paper} measured={panels} mode={mode} />
      <AfterPaint>
        {() => (
          <>
            <Claims paper={paper} state={state} store={store} />
            <Doubts paper={paper} />
            <LeftOut paper={paper} />
          </>
        )}
      </AfterPaint>
    </>
  );
}

function Nothing({ paper }: { paper: Paper }) {
  const command = paper.figures.measured[0]?.operators.needs[0]?.command;
  return (
    <Empty title="No run of the suite is here">
      <p>
        The suite is the paper's eight workloads with random weights, in seconds on a CPU or at full
        size on a GPU. Record it, and look here again:
      </p>
      <pre>{command ?? "genscope suite run"}</pre>
    </Empty>
  );
}

function Doubts({ paper }: { paper: Paper }) {
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Where the paper disagrees with itself or its sources</h2>
      </div>
      <ul class="doubts">
        {paper.disagreements.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </section>
  );
}

function LeftOut({ paper }: { paper: Paper }) {
  if (paper.left_out.length === 0) return null;
  const many = paper.left_out.length;
  return (
    <details class="panel left-out" open={many <= 3}>
      <summary>{many === 1 ? "1 file is" : `${count(many)} files are`} left out</summary>
      <ul class="doubts">
        {paper.left_out.map(({ run, reason }) => (
          <li key={run}>
            <b>{run}</b>: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}
