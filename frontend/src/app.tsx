// The frame of every page: the rail, the runs, and the page that the address names.

import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Client } from "./api/client";
import type { Run } from "./api/types";
import { NoRuns } from "./components/NoRuns";
import { ErrorNotice } from "./components/notices";
import { RunPicker } from "./components/RunPicker";
import { PAGES, type Page, type PageProps } from "./pages/registry";
import { useLoaded } from "./state/loaded";
import { type Store, useStoreState } from "./state/location";
import { useMode } from "./theme/mode";

/** How often to look for new files, while the page is in view. */
const LOOK_MS = 15_000;

export function App(props: { client: Client; store: Store; host: Window }) {
  const { client, store, host } = props;
  const mode = useMode(host);
  const state = useStoreState(store);
  const listed = useLoaded("runs", (_, signal) => client.runs(signal));
  useInterval(listed.again, LOOK_MS);

  const all = listed.data?.runs ?? [];
  const page = PAGES.find((each) => each.id === state.page) ?? (PAGES[0] as Page);
  // Without a choice the first run is shown: reading more was not asked for.
  const chosen = state.runs
    ? state.runs.map((name) => idOf(name, all))
    : all.slice(0, 1).map((run) => run.id);
  const known = chosen.flatMap((id) => all.find((run) => run.id === id) ?? []);
  const gone = listed.data ? chosen.filter((id) => !known.some((run) => run.id === id)) : [];
  const choose = (runs: readonly string[]) => store.write({ runs, shown: null }, "push");

  return (
    <div class="frame">
      <Rail page={page} onPage={(id) => store.write({ page: id }, "push")} />
      <main>
        <header class="top">
          <RunPicker runs={all} chosen={chosen} onChoose={choose} onOpen={listed.again} />
        </header>
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
        <Content
          page={page}
          listed={listed.data !== null}
          message={listed.data?.message ?? null}
          all={all}
          pageProps={{ client, store, state, runs: known, mode, onRead: listed.again }}
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

function Rail(props: { page: Page; onPage: (id: string) => void }) {
  return (
    <nav class="rail" aria-label="Pages">
      <ul>
        {PAGES.map((page) => (
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
  pageProps: PageProps;
}) {
  const Shown = usePage(props.page);
  if (!props.listed) return null;
  if (props.all.length === 0) return <NoRuns message={props.message} />;
  if (props.pageProps.runs.length === 0) {
    return <p class="hint">Choose one or more runs above. The first is the base of the others.</p>;
  }
  return Shown && <Shown {...props.pageProps} />;
}

function usePage(page: Page): ComponentType<PageProps> | null {
  const [shown, setShown] = useState<{ page: Page; component: ComponentType<PageProps> } | null>(
    null,
  );
  useEffect(() => {
    let isWanted = true;
    page.load().then((component) => isWanted && setShown({ page, component }));
    return () => {
      isWanted = false;
    };
  }, [page]);
  return shown?.page === page ? shown.component : null;
}

function useInterval(act: () => void, ms: number): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") latest.current();
    }, ms);
    return () => clearInterval(timer);
  }, [ms]);
}
