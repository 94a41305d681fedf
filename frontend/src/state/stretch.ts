// What a gesture changes of the state: kept here while it goes on, then put into the link.

import { useEffect, useState } from "preact/hooks";
import type { Store } from "./location";
import type { Of, State } from "./url";

/** A gesture is over when nothing has changed for so long. */
const SETTLED_MS = 250;

/**
 * What single pages keep, and how to change one of it by a gesture: a browser takes only so many
 * changes of the address a second.
 */
export function useLiveOf(store: Store, state: State): [Of, (name: string, value: string) => void] {
  const [live, setLive] = useState<{ name: string; value: string } | null>(null);
  useEffect(() => {
    if (live === null) return;
    const timer = setTimeout(() => {
      const { of } = store.read();
      // Going in and out is a step for the back button, moving about is none.
      const isStep = ((of[live.name] ?? "") === "") !== (live.value === "");
      store.write({ of: { ...of, [live.name]: live.value } }, isStep ? "push" : "replace");
      setLive(null);
    }, SETTLED_MS);
    return () => clearTimeout(timer);
  }, [live, store]);
  const of = live === null ? state.of : { ...state.of, [live.name]: live.value };
  return [of, (name, value) => setLive({ name, value })];
}
