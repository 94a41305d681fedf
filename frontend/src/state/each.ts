// The same asked for each of several runs.

import { type Progress, UnusableError } from "../api/client";
import type { FileError, Run } from "../api/types";

/** What was asked for of each run, and the files that cannot be used. */
export interface EachOf<T> {
  runs: T[];
  errors: FileError[];
}

export interface Asking {
  onProgress: (progress: Progress) => void;
  signal: AbortSignal;
}

/** Answers in the order of `runs`; a file that cannot be used is among the errors. */
export async function loadEach<T>(
  runs: readonly Run[],
  ask: Asking,
  load: (run: Run, ask: Asking) => Promise<T>,
): Promise<EachOf<T>> {
  const progress: Progress = {};
  const answers = await Promise.allSettled(
    runs.map((run) =>
      load(run, {
        signal: ask.signal,
        onProgress: (own) => ask.onProgress(Object.assign(progress, own)),
      }).finally(() => {
        delete progress[run.id];
      }),
    ),
  );
  const found: EachOf<T> = { runs: [], errors: [] };
  for (const answer of answers) {
    if (answer.status === "fulfilled") found.runs.push(answer.value);
    else if (answer.reason instanceof UnusableError) found.errors.push(...answer.reason.errors);
    else throw answer.reason;
  }
  return found;
}
