// Reading the runs of the suite one after the other, so that what is there is shown meanwhile.

import { useEffect, useRef, useState } from "preact/hooks";
import { type Client, type Progress, ServerError } from "../../api/client";
import type { Paper, PaperRun } from "../../api/paper";

/** What is read without being asked for: more takes a person's word. */
const AT_ONCE_BYTES = 64e6;

/** How long to wait with showing what has come in. */
const SHOW_MS = 2500;

export interface Reader {
  /** Runs of the suite that are not read. */
  unread: readonly PaperRun[];
  bytes: number;
  isReading: boolean;
  progress: Progress;
  done: number;
  of: number;
  error: string | null;
  start: () => void;
  stop: () => void;
}

export function useReader(client: Client, paper: Paper | null, onMore: () => void): Reader {
  const [progress, setProgress] = useState<Progress>({});
  const [[done, of], setDone] = useState<readonly [number, number]>([0, 0]);
  const [error, setError] = useState<string | null>(null);
  const abort = useRef<AbortController | null>(null);
  const current = useRef<string | null>(null);
  const isAsked = useRef(false);
  const latest = useRef(onMore);
  latest.current = onMore;
  const unread = paper?.runs?.filter((run) => run.state === "unread") ?? [];
  const bytes = unread.reduce((sum, run) => sum + run.size_bytes, 0);

  async function read(runs: readonly PaperRun[], signal: AbortSignal): Promise<void> {
    let shown = performance.now();
    for (const [at, run] of runs.entries()) {
      setDone([at, runs.length]);
      current.current = run.id;
      try {
        await client.view("of-suite", [run.id], { signal, onProgress: setProgress });
      } catch (failure) {
        if (signal.aborted) return;
        // A file that cannot be read is named by the report; a server that is gone ends it.
        if (failure instanceof ServerError) {
          setError(failure.message);
          break;
        }
      }
      if (at === 0 || performance.now() - shown > SHOW_MS) {
        shown = performance.now();
        latest.current();
      }
    }
    abort.current = null;
    current.current = null;
    setDone([0, 0]);
    latest.current();
  }

  function start(): void {
    if (abort.current !== null || unread.length === 0) return;
    abort.current = new AbortController();
    setError(null);
    read(unread, abort.current.signal);
  }

  function stop(): void {
    const id = current.current;
    abort.current?.abort();
    abort.current = null;
    setDone([0, 0]);
    if (id !== null) client.cancel(id).catch(() => {});
  }

  useEffect(() => {
    if (isAsked.current || unread.length === 0 || bytes > AT_ONCE_BYTES) return;
    isAsked.current = true;
    start();
  });
  useEffect(() => () => abort.current?.abort(), []);

  return { unread, bytes, isReading: of > 0, progress, done, of, error, start, stop };
}
