// A client of data that came with the document: a report has no server to ask.

import { type Client, ServerError } from "./client";
import type { Comparison, Operators, Overview, Runs } from "./types";

/** What a report holds, by id of the run. */
export interface Embedded {
  /** The page to begin with. */
  page: string;
  /** Ids of the pages, where the report is not of runs but of something else. */
  pages?: string[];
  runs: Runs;
  operators: Record<string, Operators>;
  overview: Record<string, Overview>;
  /** By the id of the base: all runs set beside it, in the order of `runs`. */
  compare: Record<string, Comparison>;
  /** Other views: by route, then by the ids of the runs, joined by line ends. */
  views?: Record<string, Record<string, unknown>>;
}

export function createEmbedded(data: Embedded): Client {
  function of<T>(all: Record<string, T>, id: string): T {
    const found = Object.hasOwn(all, id) ? all[id] : undefined;
    if (found === undefined)
      throw new ServerError(`This report does not hold ${id.replaceAll("\n", " and ")}.`);
    return found;
  }

  return {
    isLive: false,
    ...(data.pages ? { pages: data.pages } : {}),
    runs: async () => data.runs,
    overview: async (id) => of(data.overview, id),
    operators: async (id) => of(data.operators, id),
    async timeline() {
      throw new ServerError("A report holds no finer timeline.");
    },
    async compare(ids) {
      const comparison = of(data.compare, ids[0] ?? "");
      const order = data.runs.runs.map((run) => run.id);
      const runs = ids.flatMap((id) => comparison.runs[order.indexOf(id)] ?? []);
      return { comparison: { ...comparison, runs }, errors: [] };
    },
    async view<T>(route: string, ids: readonly string[]) {
      const answers = data.views?.[route] ?? {};
      const key = ids.join("\n");
      const [first = key] = Object.keys(answers);
      // Which runs belong together is the same whichever are asked for.
      return of(answers, route === "pairs" ? first : key) as T;
    },
    holds: (route, ids) => Object.hasOwn(data.views?.[route] ?? {}, ids.join("\n")),
    address: () => null,
    cancel: async () => {},
  };
}
