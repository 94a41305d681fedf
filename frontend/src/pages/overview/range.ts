// The stretch of time that the timelines show: zooming, moving, and where it is kept.

import { useEffect, useState } from "preact/hooks";
import type { Store } from "../../state/location";
import type { Range, State } from "../../state/url";

/** Nobody looks at less: the shortest kernels take about as long. */
const SHORTEST_NS = 1000;

/** A gesture is over when nothing has changed for so long. */
const SETTLED_MS = 250;

/** A range of whole nanoseconds inside of `whole_ns`; null where it is all of it. */
export function within(from_ns: number, to_ns: number, whole_ns: number): Range | null {
  const span = Math.round(Math.min(whole_ns, Math.max(SHORTEST_NS, to_ns - from_ns)));
  const from = Math.round(Math.min(whole_ns - span, Math.max(0, from_ns)));
  return span >= whole_ns ? null : [from, from + span];
}

/** `range` made longer by `factor`, with the time `at_ns` staying in its place. */
export function zoomed(
  [from, to]: Range,
  factor: number,
  at_ns: number,
  whole_ns: number,
): Range | null {
  const longer = Math.max(factor, SHORTEST_NS / (to - from));
  return within(at_ns - (at_ns - from) * longer, at_ns + (to - at_ns) * longer, whole_ns);
}

export function moved([from, to]: Range, by_ns: number, whole_ns: number): Range | null {
  return within(from + by_ns, to + by_ns, whole_ns);
}

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
