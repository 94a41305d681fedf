// How a page hands a trace to the Perfetto UI: ask until it answers, then post the trace, then the
// stretch of time. Only windows of the UI's origin are spoken to, and only they are listened to.

/** Where the UI lives. */
export const UI = "https://ui.perfetto.dev";

/** A message that comes before the UI listens is lost, so it is asked again this often. */
const ASK_MS = 200;

/** After so long without an answer something is wrong; the asking goes on. */
export const SILENT_MS = 10_000;

/** So much of the width the stretch takes; the rest is what is around it. */
const VIEW_PERCENTAGE = 0.5;

/** Two nanoseconds from the first event of the trace. */
export type Span = readonly [number, number];

/** A trace in memory. Posting it gives it away. */
export interface Posted {
  buffer: ArrayBuffer;
  title: string;
  fileName: string;
}

/**
 * Asks the window that `target` gives until it answers, and gives it then. Rejects with the reason
 * of `signal` only; `onSilent` tells that nothing has come for long.
 */
export function answering(of: {
  host: Window;
  target: () => Window | null | undefined;
  signal: AbortSignal;
  onSilent: () => void;
}): Promise<Window> {
  const { host, target, signal, onSilent } = of;
  return new Promise((resolve, reject) => {
    const ask = () => target()?.postMessage("PING", UI);
    const asking = host.setInterval(ask, ASK_MS);
    const silence = host.setTimeout(onSilent, SILENT_MS);
    const hear = (event: MessageEvent) => {
      const window = target();
      if (event.origin !== UI || event.data !== "PONG" || !window) return;
      if (event.source !== window) return;
      end();
      resolve(window);
    };
    const stop = () => {
      end();
      reject(signal.reason);
    };
    const end = () => {
      host.clearInterval(asking);
      host.clearTimeout(silence);
      host.removeEventListener("message", hear);
      signal.removeEventListener("abort", stop);
    };
    host.addEventListener("message", hear);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    else ask();
  });
}

/** Gives the trace to the UI, which keeps listening. */
export function postTrace(window: Window, trace: Posted): void {
  const message = { perfetto: { ...trace, keepApiOpen: true } };
  // Handed over and not copied: it may be most of the memory that a page can have.
  window.postMessage(message, UI, [trace.buffer]);
}

/** Shows a stretch; the UI waits a few seconds for a trace that it is still reading. */
export function postSpan(window: Window, starts_ns: string, span: Span): void {
  const [timeStart, timeEnd] = inUi(starts_ns, span).map((at) => Number(at) / 1e9);
  const message = { perfetto: { timeStart, timeEnd, viewPercentage: VIEW_PERCENTAGE } };
  window.postMessage(message, UI);
}

/**
 * The address of the UI. It holds the stretch too, for a trace that takes longer to read than the
 * message waits; as a fragment, which is sent to nobody.
 */
export function addressOf(starts_ns: string | null, span: Span | null): string {
  if (starts_ns === null || span === null) return `${UI}/`;
  const [from, to] = inUi(starts_ns, span);
  return `${UI}/#!/?visStart=${from}&visEnd=${to}`;
}

/** The stretch in the nanoseconds that the UI counts in: those of the file that it gets. */
function inUi(starts_ns: string, span: Span): [bigint, bigint] {
  const [from, to] = span.map((at) => BigInt(starts_ns) + BigInt(Math.round(at)));
  return [from as bigint, to as bigint];
}

/** Whether the UI takes a trace from `hostname` without asking the person. */
export function isTrusted(hostname: string): boolean {
  return hostname === "localhost" || hostname === "127.0.0.1";
}
