// A run with its sequence of attention calls, and how all of the chosen ones are loaded.

import type { Sequence } from "../../api/attention";
import { type Client, type Progress, type Selection, UnusableError } from "../../api/client";
import type { FileError, Run } from "../../api/types";

export interface Sequenced {
  id: string;
  label: string;
  sequence: Sequence;
}

export interface AllSequenced {
  runs: Sequenced[];
  errors: FileError[];
}

/** The sequences of `runs` in their order; a file that cannot be used is among the errors. */
export async function loadAll(
  client: Client,
  runs: readonly Run[],
  ask: { selection: Selection; onProgress: (progress: Progress) => void; signal: AbortSignal },
): Promise<AllSequenced> {
  const progress: Progress = {};
  const found: AllSequenced = { runs: [], errors: [] };
  const answers = await Promise.allSettled(
    runs.map(({ id }) =>
      client
        .view<Sequence>("sequence", [id], {
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
      found.runs.push({ id: run.id, label: run.label, sequence: answer.value });
    } else if (answer.reason instanceof UnusableError) {
      found.errors.push(...answer.reason.errors);
    } else {
      throw answer.reason;
    }
  });
  return found;
}
