// The stretch of time that the timelines show, and where it is kept.

import { useEffect, useState } from "preact/hooks";
import type { Store } from "../../state/location";
import type { Range, State } from "../../state/url";

/** Nobody looks at less: the shortest kernels take about as long. */
export const SHORTEST_NS = 1000;

/** A gesture is over when nothing has changed for so long. */
const SETTLED_MS = 250;

/**
 * The range in the link, and how to change it. During a gesture it is kept here: a browser takes
 * only so many changes of the address a second.
 */
export function useRange(store: Store, state: State): [Range | null, (next: Range | null) => void] {
  const [live, setLive] = useState<{ range: Range | null } | null>(null);
  const kept = state.range;
  useEffect(() => {
    if (live === null) return;
    const timer = setTimeout(() => {
      // Going in and out is a step for the back button, moving about is none.
      const how = (kept === null) === (live.range === null) ? "replace" : "push";
      store.write({ range: live.range }, how);
      setLive(null);
    }, SETTLED_MS);
    return () => clearTimeout(timer);
  }, [live, kept, store]);
  return [live ? live.range : kept, (range) => setLive({ range })];
}
