// What a page asks for, and the frame around the answer: reading, errors, files that cannot be used.
//
//   const answered = useEachView<Memory>(props, "memory");          one answer a run
//   const answered = useAnswered(props, (ask) =>                    one answer for all runs
//     props.client.view<Scaling>("scaling", ids, ask));
//   return (
//     <Answered of={answered} title="The memory could not be found" {...props}>
//       {(runs) => <Content {...props} runs={runs} />}
//     </Answered>
//   );
//
// What holds:
// - It is asked again when the runs, the filters or `more` change. `ask` has the filters already,
//   and `more` (names and values, as filters are) goes to the server with them.
// - The last answer stays on the page, paler, while the next one is on its way.
// - Of each run: a file that cannot be used stands above the others' figures; where none can be
//   used nothing else is drawn, so that `children` is never given an empty list.
// - The frame is told (`onRead`) when an answer is there, since the states of runs have changed.
// - A second question of a page is another hook and another `Answered`, or `useAnswered` with
//   `isAsked` false until it makes sense; `answered.current` is its answer unless it is outdated.

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { type Ask, type Client, type Selection, UnusableError } from "../api/client";
import type { FileError, Run } from "../api/types";
import { loadEach } from "../state/each";
import { type Loaded, useLoaded } from "../state/loaded";
import { ErrorNotice, FileErrors, Reading } from "./notices";

/** What of the properties of a page is needed to ask. */
export interface Asking {
  client: Client;
  runs: readonly Run[];
  selection: Selection;
  onRead: () => void;
}

/** The answer to what was asked last, or to what was asked before. */
export interface Answer<T> extends Loaded<T> {
  /** `data`, but null while it answers what was asked before. */
  current: T | null;
  /** Files that cannot be used. */
  errors: readonly FileError[];
  again: () => void;
}

/** An answer for one run. */
export interface Of<T> {
  id: string;
  label: string;
  data: T;
}

type Full = Required<Ask>;

/** How a question differs from the plain one. */
export interface Extra {
  /** Parameters beside the filters. */
  more?: Selection;
  /** What else the answer depends on, if anything. */
  on?: unknown;
  /** False asks for nothing. */
  isAsked?: boolean;
}

/** One answer for all runs of the page. */
export function useAnswered<T>(
  asking: Asking,
  load: (ask: Full) => Promise<T>,
  extra: Extra = {},
): Answer<T> {
  const { runs, onRead } = asking;
  const selection = [...asking.selection, ...(extra.more ?? [])];
  const ids = runs.map((run) => run.id);
  const key = extra.isAsked === false ? null : JSON.stringify([ids, selection, extra.on]);
  const loaded = useLoaded<T>(key, (ask) => load({ ...ask, selection }));
  const { data, dataKey, error } = loaded;

  // biome-ignore lint/correctness/useExhaustiveDependencies: reading has changed what `runs` says.
  useEffect(() => {
    if (data) onRead();
  }, [data]);

  return {
    ...loaded,
    current: dataKey === key ? data : null,
    errors: error instanceof UnusableError ? error.errors : [],
  };
}

/** An answer for each run, in their order, without those whose file cannot be used. */
export function useEachAnswered<T>(
  asking: Asking,
  load: (run: Run, ask: Full) => Promise<T>,
  extra: Extra = {},
): Answer<readonly T[]> {
  const answered = useAnswered(
    asking,
    ({ selection, ...ask }) =>
      loadEach(asking.runs, ask, (run, own) => load(run, { ...own, selection })),
    extra,
  );
  const { data, current } = answered;
  return {
    ...answered,
    data: data?.runs ?? null,
    current: current?.runs ?? null,
    errors: data?.errors ?? [],
  };
}

/** The answer of `route` for each run, with the run's id and label. */
export function useEachView<T>(
  asking: Asking,
  route: string,
  extra: Extra = {},
): Answer<readonly Of<T>[]> {
  return useEachAnswered<Of<T>>(
    asking,
    async ({ id, label }, ask) => ({
      id,
      label,
      data: await asking.client.view<T>(route, [id], ask),
    }),
    extra,
  );
}

/** How far reading is, what went wrong, and below it what `children` make of the answer. */
export function Answered<T>(props: {
  of: Answer<T>;
  /** What is said when it fails: "The memory could not be found". */
  title: string;
  runs: readonly Run[];
  onStop: ((id: string) => void) | null;
  children: (data: T) => ComponentChildren;
}) {
  const { of, title, runs } = props;
  const { data, error, again } = of;
  const labelOf = (id: string) => runs.find((run) => run.id === id)?.label ?? id;
  const isEmpty = Array.isArray(data) && data.length === 0;
  return (
    <>
      {of.isLoading && <Reading progress={of.progress} labelOf={labelOf} onStop={props.onStop} />}
      {error && !(error instanceof UnusableError) && (
        <ErrorNotice title={title} message={error.message} onRetry={again} />
      )}
      <FileErrors errors={of.errors} onRetry={again} />
      {data !== null && !isEmpty && (
        <div class={of.current === null ? "stale" : ""}>{props.children(data)}</div>
      )}
    </>
  );
}
