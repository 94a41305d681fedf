// Data that a route gives, with the previous answer kept while the next one is on its way.

import { useLayoutEffect, useReducer, useRef } from "preact/hooks";
import type { Ask, Progress } from "../api/client";

export interface Loaded<T> {
  /** The last answer, also while another is awaited. */
  data: T | null;
  /** The key that `data` answers. */
  dataKey: string | null;
  isLoading: boolean;
  progress: Progress;
  error: Error | null;
}

type Load<T> = (ask: Required<Pick<Ask, "onProgress" | "signal">>) => Promise<T>;

/**
 * Loads again whenever `key` changes; a null key loads nothing. An answer that comes after the
 * key has changed is dropped.
 */
export function useLoaded<T>(key: string | null, load: Load<T>): Loaded<T> & { again: () => void } {
  const [attempt, again] = useReducer((n: number) => n + 1, 0);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const current = useRef<Loaded<T>>({
    data: null,
    dataKey: null,
    isLoading: key !== null,
    progress: {},
    error: null,
  });
  const latest = useRef(load);
  latest.current = load;

  // Before the browser paints: what is asked for a frame later comes a frame later.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` asks again for the same key.
  useLayoutEffect(() => {
    const abort = new AbortController();
    const set = (change: Partial<Loaded<T>>) => {
      if (abort.signal.aborted) return;
      current.current = { ...current.current, ...change };
      redraw(undefined);
    };
    set({ isLoading: key !== null, progress: {}, error: null });
    if (key !== null) {
      latest
        .current({ onProgress: (progress) => set({ progress }), signal: abort.signal })
        .then((data) => set({ data, dataKey: key, isLoading: false }))
        .catch((error: Error) => set({ error, isLoading: false }));
    }
    return () => abort.abort();
  }, [key, attempt]);

  return { ...current.current, again: () => again(undefined) };
}
