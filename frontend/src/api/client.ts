// One typed function a route. A route that answers 202 is asked again until the file is read.

import type {
  Comparison,
  FileError,
  Operators,
  Overview,
  ReadProgress,
  Runs,
  Timeline,
} from "./types";

/** The largest `schema_version` that these pages know. */
export const SCHEMA_VERSION = 1;

/** Most answers that have to be computed are there soon, those that need a long reading are not. */
const POLL_MS = [30, 60, 120, 250];

/** Progress of the files being read, by run id. */
export type Progress = Record<string, ReadProgress>;

/** What a comparison gave: the runs that could be used, and the files that could not. */
export interface ComparisonAnswer {
  comparison: Comparison | null;
  errors: FileError[];
}

/** The server cannot be reached or answers what nobody expects. */
export class ServerError extends Error {
  override name = "ServerError";
}

/** Files that cannot be used as traces. */
export class UnusableError extends Error {
  override name = "UnusableError";

  constructor(readonly errors: FileError[]) {
    super(errors.map((error) => error.message).join("\n"));
  }
}

/** Filters as the routes take them: pairs of a name and a value. */
export type Selection = readonly (readonly [string, string])[];

/** How something is asked for. */
export interface Ask {
  selection?: Selection;
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

export interface Client {
  /** Whether a server answers, which can filter, stop reading, and find new files. */
  readonly isLive: boolean;
  /** Ids of the pages that there is something for; all where it is not given. */
  readonly pages?: readonly string[];
  runs(signal?: AbortSignal): Promise<Runs>;
  overview(id: string, ask?: Ask): Promise<Overview>;
  operators(id: string, ask?: Ask): Promise<Operators>;
  /** The timeline between two nanoseconds of the trace. */
  timeline(id: string, ends: readonly [number, number], ask?: Ask): Promise<Timeline>;
  compare(ids: readonly string[], ask?: Ask): Promise<ComparisonAnswer>;
  /** Any other view of one run or of several, in that order; `selection` has its parameters too. */
  view<T>(route: string, ids: readonly string[], ask?: Ask): Promise<T>;
  /** Whether `view` can be asked of these runs at all. */
  holds(route: string, ids: readonly string[]): boolean;
  /** Where `route` gives the bytes of a run; null where nobody serves them. */
  address(route: string, id: string, selection?: Selection): URL | null;
  /** Stops reading a file; asking for it again begins anew. */
  cancel(id: string): Promise<void>;
}

/** What a client needs of its surroundings, so that a test can give it others. */
export interface Surroundings {
  fetch: typeof fetch;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

const browser: Surroundings = {
  fetch: (input, init) => fetch(input, init),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** A client of the routes below `base`, the folder that `index.js` was loaded from. */
export function createClient(base: URL, around: Surroundings = browser): Client {
  async function get(route: string, signal?: AbortSignal): Promise<Answer> {
    let response: Response;
    try {
      response = await around.fetch(new URL(route, base), signal ? { signal } : {});
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ServerError("TensorBoard does not answer. Is it still running?");
    }
    let body: unknown;
    try {
      body = await response.json();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ServerError(`TensorBoard answered ${response.status} without JSON.`);
    }
    if (typeof body !== "object" || body === null) {
      throw new ServerError(`TensorBoard answered ${response.status} without an object.`);
    }
    return { status: response.status, body: body as Record<string, unknown> };
  }

  async function settled(
    route: string,
    onAccepted: (body: Record<string, unknown>) => void,
    signal?: AbortSignal,
  ): Promise<Answer> {
    for (let turn = 0; ; turn += 1) {
      const answer = await get(route, signal);
      if (answer.status !== 202) return answer;
      onAccepted(answer.body);
      await around.sleep(POLL_MS[Math.min(turn, POLL_MS.length - 1)] as number, signal);
    }
  }

  async function view<T>(route: string, ids: readonly string[], ask: Ask = {}): Promise<T> {
    const { status, body } = await settled(
      `${route}?${query(ids, ask.selection)}`,
      (accepted) => ask.onProgress?.(progressOf(accepted, ids)),
      ask.signal,
    );
    if (status === 200) return known(body) as T;
    if (status === 422) throw new UnusableError(errorsOf(body, ids));
    throw unexpected(status, body);
  }

  const ofRun = <T>(route: string, id: string, ask: Ask) => view<T>(route, [id], ask);

  return {
    isLive: true,

    async runs(signal) {
      const { status, body } = await get("runs", signal);
      if (status !== 200) throw unexpected(status, body);
      return known(body) as unknown as Runs;
    },

    overview: (id, ask = {}) => ofRun<Overview>("overview", id, ask),

    operators: (id, ask = {}) => ofRun<Operators>("operators", id, ask),

    timeline: (id, [from, to], ask = {}) =>
      ofRun<Timeline>("timeline", id, {
        ...ask,
        selection: [...(ask.selection ?? []), ["from_ns", `${from}`], ["to_ns", `${to}`]],
      }),

    async compare(ids, { selection, onProgress, signal } = {}) {
      const { status, body } = await settled(
        `compare?${query(ids, selection)}`,
        (accepted) => onProgress?.(progressOf(accepted, ids)),
        signal,
      );
      if (status === 200) {
        return { comparison: known(body) as unknown as Comparison, errors: [] };
      }
      if (status === 422) {
        const answer = body as { errors: FileError[]; comparison: Comparison | null };
        return { comparison: answer.comparison, errors: answer.errors };
      }
      throw unexpected(status, body);
    },

    view,

    holds: () => true,

    address: (route, id, selection) => new URL(`${route}?${query([id], selection)}`, base),

    async cancel(id) {
      const { status, body } = await get(`cancel?${query([id])}`);
      if (status >= 400) throw unexpected(status, body);
    },
  };
}

/** A route of several runs tells of each of them, one of a single run of that one. */
function progressOf(body: Record<string, unknown>, ids: readonly string[]): Progress {
  return (body.runs ?? { [ids[0] ?? ""]: body }) as Progress;
}

function errorsOf(body: Record<string, unknown>, ids: readonly string[]): FileError[] {
  if (Array.isArray(body.errors)) return body.errors as FileError[];
  const { file, message } = body.error as { file: string; message: string };
  return [{ run: ids[0] ?? "", file, message }];
}

function query(ids: readonly string[], selection: Selection = []): string {
  return [...ids.map((id) => ["run", id] as const), ...selection]
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
}

function known(body: Record<string, unknown>): Record<string, unknown> {
  const version = body.schema_version;
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    throw new ServerError(
      `The server speaks schema ${version}, this page ${SCHEMA_VERSION}. Reload the page.`,
    );
  }
  return body;
}

function unexpected(status: number, body: Record<string, unknown>): ServerError {
  const error = body.error;
  const message =
    typeof error === "string" ? error : (error as { message?: string } | undefined)?.message;
  return new ServerError(message ?? `TensorBoard answered ${status}.`);
}
