// The same asked for each of several runs.

import { type Progress, UnusableError } from "../api/client";
import type { FileError, Run } from "../api/types";

/** A run with what was asked for it. */
export interface Of<T> {
  id: string;
  label: string;
  data: T;
}

export interface EachOf<T> {
  runs: Of<T>[];
  errors: FileError[];
}

interface Asking {
  onProgress: (progress: Progress) => void;
  signal: AbortSignal;
}

/** Answers in the order of `runs`; a file that cannot be used is among the errors. */
export async function loadEach<T>(
  runs: readonly Run[],
  ask: Asking,
  load: (id: string, ask: Asking) => Promise<T>,
): Promise<EachOf<T>> {
  const progress: Progress = {};
  const answers = await Promise.allSettled(
    runs.map(({ id }) =>
      load(id, {
        signal: ask.signal,
        onProgress: (own) => ask.onProgress(Object.assign(progress, own)),
      }).finally(() => {
        delete progress[id];
      }),
    ),
  );
  const found: EachOf<T> = { runs: [], errors: [] };
  answers.forEach((answer, index) => {
    const { id, label } = runs[index] as Run;
    if (answer.status === "fulfilled") found.runs.push({ id, label, data: answer.value });
    else if (answer.reason instanceof UnusableError) found.errors.push(...answer.reason.errors);
    else throw answer.reason;
  });
  return found;
}
