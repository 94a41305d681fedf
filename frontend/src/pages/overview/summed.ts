// A run with its overview, and how all of the chosen ones are loaded.

import { type Client, type Progress, type Selection, UnusableError } from "../../api/client";
import type { FileError, Overview, Run } from "../../api/types";

export interface Summed {
  id: string;
  label: string;
  overview: Overview;
}

export interface AllSummed {
  runs: Summed[];
  errors: FileError[];
}

/** The overviews of `runs` in their order; a file that cannot be used is among the errors. */
export async function sumAll(
  client: Client,
  runs: readonly Run[],
  ask: { selection: Selection; onProgress: (progress: Progress) => void; signal: AbortSignal },
): Promise<AllSummed> {
  const progress: Progress = {};
  const found: AllSummed = { runs: [], errors: [] };
  const answers = await Promise.allSettled(
    runs.map(({ id }) =>
      client
        .overview(id, {
          selection: ask.selection,
          signal: ask.signal,
          onProgress: (own) => ask.onProgress(Object.assign(progress, own)),
        })
        .finally(() => {
          delete progress[id];
        }),
    ),
  );
  answers.forEach((answer, index) => {
    const run = runs[index] as Run;
    if (answer.status === "fulfilled") {
      found.runs.push({ id: run.id, label: run.label, overview: answer.value });
    } else if (answer.reason instanceof UnusableError) {
      found.errors.push(...answer.reason.errors);
    } else {
      throw answer.reason;
    }
  });
  return found;
}
