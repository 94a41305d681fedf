// The frame of every page: the rail, the runs, and the page that the address names.

import type { ComponentType } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Attention } from "./api/attention";
import type { Client } from "./api/client";
import type { Run } from "./api/types";
import { NoRuns } from "./components/NoRuns";
import { ErrorNotice } from "./components/notices";
import { RunPicker } from "./components/RunPicker";
import { FilterBar } from "./filters/FilterBar";
import { type Available, selectionOf } from "./filters/registry";
import { PAGES, type Page, type PageProps } from "./pages/registry";
import { useLoaded } from "./state/loaded";
import { type Store, useStoreState } from "./state/location";
import { DEFAULT_STATE } from "./state/url";
import { useMode } from "./theme/mode";

/** How often to look for new files, while the page is in view. */
const LOOK_MS = 15_000;

export function App(props: { client: Client; store: Store; host: Window }) {
  const { client, store, host } = props;
  const mode = useMode(host);
  const state = useStoreState(store);
  const listed = useLoaded("runs", ({ signal }) => client.runs(signal));
  useInterval(listed.again, client.isLive ? LOOK_MS : null);
  const stopped = useStopped(client);

  const all = listed.data?.runs ?? [];
  const pages = pagesOf(client);
  const page = pages.find((each) => each.id === state.page) ?? (pages[0] as Page);
  // Without a choice the first run is shown: reading more was not asked for. A report is read.
  const first = client.isLive ? all.slice(0, 1) : all;
  const chosen = state.runs
    ? state.runs.map((name) => idOf(name, all))
    : first.map((run) => run.id);
  const known = chosen.flatMap((id) => all.find((run) => run.id === id) ?? []);
  const gone = listed.data ? chosen.filter((id) => !known.some((run) => run.id === id)) : [];
  const wanted = known.filter((run) => !stopped.ids.includes(run.id));
  // The page comes first: what the filters need is asked for once it is there.
  const [isDrawn, setDrawn] = useState(false);
  const hasCalls = page.hasCalls ?? false;
  const readable = wanted.find((run) => run.state !== "failed");
  const available = useAvailable(client, isDrawn ? readable : undefined, hasCalls);
  const selection = useMemo(
    () => (client.isLive ? selectionOf(state.filters, hasCalls) : []),
    [client, state.filters, hasCalls],
  );
  const choose = (runs: readonly string[]) => store.write({ runs, shown: null }, "push");
  // Rows and columns are those of a page, so what is sorted, searched and open ends with it.
  const turnTo = (id: string) => {
    const { table, sort, search, open } = DEFAULT_STATE;
    if (id !== page.id) store.write({ page: id, table, sort, search, open }, "push");
  };

  return (
    <div class="frame">
      <Rail pages={pages} page={page} onPage={turnTo} />
      <main>
        {!page.isOfAll && (
          <header class="top">
            <RunPicker runs={all} chosen={chosen} onChoose={choose} onOpen={listed.again} />
            {client.isLive && (
              <FilterBar
                filters={state.filters}
                available={available}
                hasCalls={hasCalls}
                onChange={(filters) => store.write({ filters }, "push")}
              />
            )}
          </header>
        )}
        {listed.error && (
          <ErrorNotice
            title="The list of runs could not be read"
            message={listed.error.message}
            onRetry={listed.again}
          />
        )}
        {listed.data?.message && all.length > 0 && <p class="note">{listed.data.message}</p>}
        {gone.map((id) => (
          <ErrorNotice
            key={id}
            title={id}
            message="There is no such file under the logdir (any more). Choose another run."
          />
        ))}
        {known
          .filter((run) => stopped.ids.includes(run.id))
          .map((run) => (
            <div key={run.id} class="notice stopped" role="status">
              <span>
                Reading <b>{run.label}</b> was stopped.
              </span>
              <button type="button" onClick={() => stopped.resume(run.id)}>
                Read it
              </button>
            </div>
          ))}
        <Content
          page={page}
          listed={listed.data !== null}
          message={listed.data?.message ?? null}
          all={all}
          isStopped={wanted.length < known.length}
          pageProps={{
            client,
            store,
            state,
            runs: wanted,
            selection,
            mode,
            onRead: () => {
              setDrawn(true);
              listed.again();
            },
            onStop: client.isLive ? stopped.stop : null,
          }}
        />
      </main>
    </div>
  );
}

/** The id of the run of that name: of its file, or of the folder if it is the only one there. */
function idOf(name: string, all: readonly Run[]): string {
  if (all.some((run) => run.id === name)) return name;
  const inFolder = all.filter((run) => run.run === name);
  return inFolder.length === 1 && inFolder[0] ? inFolder[0].id : name;
}

/** The pages to turn to; those of all runs only where a report holds them. */
function pagesOf(client: Client): readonly Page[] {
  const { pages } = client;
  if (pages !== undefined) return PAGES.filter((page) => pages.includes(page.id));
  return PAGES.filter((page) => !page.isOfAll || client.isLive || client.holds(page.id, []));
}

function Rail(props: { pages: readonly Page[]; page: Page; onPage: (id: string) => void }) {
  return (
    <nav class="rail" aria-label="Pages">
      <ul>
        {props.pages.map((page) => (
          <li key={page.id}>
            <button
              type="button"
              title={page.hint}
              aria-current={page === props.page ? "page" : undefined}
              onClick={() => props.onPage(page.id)}
            >
              {page.title}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Content(props: {
  page: Page;
  listed: boolean;
  message: string | null;
  all: readonly Run[];
  /** Some of the chosen runs are not read, by choice. */
  isStopped: boolean;
  pageProps: PageProps;
}) {
  const Shown = usePage(props.page);
  if (!props.listed) return null;
  const isOfAll = props.page.isOfAll ?? false;
  const isReport = !props.pageProps.client.isLive;
  if (isOfAll && (isReport || props.all.length > 0)) return Shown && <Shown {...props.pageProps} />;
  if (props.all.length === 0) return <NoRuns message={props.message} />;
  if (props.pageProps.runs.length === 0) {
    if (props.isStopped) return null;
    return <p class="hint">Choose one or more runs above. The first is the base of the others.</p>;
  }
  return Shown && <Shown {...props.pageProps} />;
}

function usePage(page: Page): ComponentType<PageProps> | null {
  const [shown, setShown] = useState<{ page: Page; component: ComponentType<PageProps> } | null>(
    null,
  );
  useLayoutEffect(() => {
    let isWanted = true;
    page.load().then((component) => isWanted && setShown({ page, component }));
    return () => {
      isWanted = false;
    };
  }, [page]);
  return shown?.page === page ? shown.component : null;
}

/** The runs whose reading a person has stopped. */
function useStopped(client: Client) {
  const [ids, setIds] = useState<readonly string[]>([]);
  // Told after the pages have ceased to ask, since asking would have the file read again.
  useEffect(() => {
    for (const id of ids) client.cancel(id).catch(() => {});
  }, [client, ids]);
  return {
    ids,
    stop: (id: string) => setIds((before) => [...new Set([...before, id])]),
    resume: (id: string) => setIds((before) => before.filter((other) => other !== id)),
  };
}

/** What the base can be filtered by, once it is read for the page: it is never read for this. */
function useAvailable(client: Client, base: Run | undefined, hasCalls: boolean): Available | null {
  const isReady = client.isLive && base?.state === "ready";
  const id = base?.id ?? "";
  const key = isReady ? JSON.stringify([id, base.size_bytes]) : null;
  const general = useLoaded(key, async ({ signal }) => {
    const overview = await client.overview(id, { signal });
    return { id, overview, operators: await client.operators(id, { signal }) };
  });
  const calls = useLoaded(hasCalls ? key : null, async ({ signal }) => {
    const attention = await client.view<Attention>("attention", [id], { signal });
    return { id, groups: attention.groups };
  });
  const [found, groups] = [general.data, calls.data];
  return useMemo(() => {
    if (found?.id !== id) return null;
    return { ...found, calls: groups?.id === id ? groups.groups : null };
  }, [found, groups, id]);
}

function useInterval(act: () => void, ms: number | null): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (ms === null) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") latest.current();
    }, ms);
    return () => clearInterval(timer);
  }, [ms]);
}
