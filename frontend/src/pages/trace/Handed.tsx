// The Perfetto UI, in a frame or in a tab of its own, from the question whether it is there to the
// trace in it. It exists only because somebody has asked for it.

import { useEffect, useRef, useState } from "preact/hooks";
import { ErrorNotice } from "../../components/notices";
import { bytes } from "../../format";
import { bytesAt } from "./bytes";
import { addressOf, answering, isTrusted, postSpan, postTrace, type Span, UI } from "./protocol";

export interface HandedProps {
  /** Where the bytes are. */
  address: URL;
  title: string;
  file: string;
  size_bytes: number;
  starts_ns: string | null;
  span: Span | null;
  /** A tab that was opened for it; null for a frame on this page. */
  tab: Window | null;
  onClose: () => void;
}

type Stage = "loading" | "given" | "failed";

export function Handed(props: HandedProps) {
  const { address, title, file, size_bytes, starts_ns, span, tab } = props;
  const section = useRef<HTMLElement>(null);
  const frame = useRef<HTMLIFrameElement>(null);
  const ui = useRef<Window | null>(null);
  const [stage, setStage] = useState<Stage>("loading");
  const [received, setReceived] = useState(0);
  const [isThere, setThere] = useState(false);
  const [isSilent, setSilent] = useState(false);
  const [isBlocked, setBlocked] = useState(false);
  const [error, setError] = useState<string | null>(null);
  // What it opens at; a stretch that is chosen later is posted to it.
  const [first] = useState(() => addressOf(starts_ns, span));
  const isLoaded = useRef(tab !== null);
  const isRefused = useRef(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: one hand-over for each of these.
  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    const blocked = (event: SecurityPolicyViolationEvent) => {
      if (!event.blockedURI.startsWith(UI)) return;
      setBlocked(true);
      // What loads instead is nobody to ask.
      isLoaded.current = false;
      isRefused.current = true;
    };
    document.addEventListener("securitypolicyviolation", blocked);
    section.current?.scrollIntoView?.({ block: "start" });
    const there = answering({
      host: window,
      // Before it is loaded the frame is of our own origin, and there is nobody to ask.
      target: () => (isLoaded.current ? (tab ?? frame.current?.contentWindow) : null),
      signal,
      onSilent: () => setSilent(true),
    }).then((window) => {
      setThere(true);
      setSilent(false);
      return window;
    });
    const whole = bytesAt(address, (count) => setReceived(count), signal);
    Promise.all([there, whole])
      .then(([window, buffer]) => {
        ui.current = window;
        postTrace(window, { buffer, title, fileName: file });
        setStage("given");
      })
      .catch((failure: Error) => {
        if (signal.aborted) return;
        abort.abort();
        setStage("failed");
        setError(failure.message);
      });
    return () => {
      abort.abort();
      document.removeEventListener("securitypolicyviolation", blocked);
    };
  }, [address.href, tab]);

  const [from, to] = span ?? [];
  const show = () => {
    if (ui.current && starts_ns !== null && from !== undefined && to !== undefined) {
      postSpan(ui.current, starts_ns, [from, to]);
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is shown again when these change.
  useEffect(() => {
    if (stage === "given") show();
  }, [stage, from, to, starts_ns]);

  const isStuck = isBlocked || (isSilent && !isThere);
  return (
    <section ref={section} class="panel perfetto" aria-label="Perfetto UI">
      <div class="panel-head">
        <span class="soft" role="status">
          {said(stage, isThere, received, size_bytes)}
        </span>
        <span class="space" />
        {stage === "given" && span !== null && starts_ns !== null && (
          <button type="button" title="Go back to the selected stretch in the UI" onClick={show}>
            To the selection
          </button>
        )}
        <button type="button" onClick={props.onClose}>
          Close
        </button>
      </div>
      {error !== null && <ErrorNotice title="The trace could not be handed over" message={error} />}
      {isStuck && <Stuck file={file} isBlocked={isBlocked} />}
      {stage !== "failed" && !isTrusted(location.hostname) && (
        <p class="hint">
          Perfetto asks whether to trust <b>{location.origin}</b>: that is this TensorBoard, which
          it takes for a stranger since it is not on the machine of your browser. Answer Yes, or
          Always trust, to have the trace opened.
        </p>
      )}
      {tab === null && (
        <iframe
          ref={frame}
          src={first}
          title="Perfetto UI"
          class={isStuck ? "hidden-frame" : ""}
          referrerpolicy="no-referrer"
          allow="clipboard-write"
          onLoad={() => {
            isLoaded.current = !isRefused.current;
          }}
        />
      )}
    </section>
  );
}

function said(stage: Stage, isThere: boolean, received: number, size_bytes: number): string {
  if (stage === "given") return "The UI has the trace.";
  if (stage === "failed") return "";
  const trace =
    received < size_bytes
      ? `Reading the trace: ${bytes(received)} of ${bytes(size_bytes)}.`
      : "The trace is read.";
  return isThere ? trace : `${trace} Waiting for ui.perfetto.dev to answer…`;
}

/** Why there is no UI, and what can be done without it. */
function Stuck({ file, isBlocked }: { file: string; isBlocked: boolean }) {
  return (
    <div class="notice warning" role="alert">
      {isBlocked
        ? "This TensorBoard does not let pages of ui.perfetto.dev be framed; newer ones do. Open it in a tab of its own instead."
        : "ui.perfetto.dev does not answer. Is there a network where your browser is, and does nothing block that page? This page goes on asking."}{" "}
      Without it, download the trace above, in either form. On a machine with a network{" "}
      <code>genscope open {file}</code> opens it, and with <code>--ui URL</code> in a Perfetto UI of
      your own.
    </div>
  );
}
