// Finer bins of the stretch of time that is zoomed in on.

import { useRef } from "preact/hooks";
import type { Client, Selection } from "../../api/client";
import type { Strip } from "../../api/types";
import { useLoaded } from "../../state/loaded";
import type { Range } from "../../state/url";
import type { Summed } from "./summed";

/** Nothing is asked for while a gesture goes on: so long must it rest. */
const REST_MS = 60;

/** More of the bins out of view than this, and they are too coarse. */
const MAX_TIMES = 3;

/** By id of the run. */
export type Strips = ReadonlyMap<string, Strip>;

const NONE: Strips = new Map();

interface Answer {
  of: string;
  strips: Strips;
}

/** What to ask for where `range` is shown: room to move in, and what was asked if that will do. */
export function askedFor(range: Range, before: Range | null): Range {
  const span = range[1] - range[0];
  if (
    before !== null &&
    before[0] <= range[0] &&
    before[1] >= range[1] &&
    before[1] - before[0] <= MAX_TIMES * span
  ) {
    return before;
  }
  const room = Math.round(span / 2);
  return [Math.max(0, range[0] - room), range[1] + room];
}

/** The strips of `range` that the server has given so far; a report has no server to ask. */
export function useFiner(
  client: Client,
  runs: readonly Summed[],
  selection: Selection,
  range: Range | null,
): { strips: Strips; error: Error | null } {
  const asked = useRef<Range | null>(null);
  asked.current = range && askedFor(range, asked.current);
  const stretch = asked.current;
  const of = JSON.stringify([runs.map((run) => run.id), selection]);
  const key = stretch && client.isLive ? `${of} ${stretch}` : null;
  const loaded = useLoaded<Answer>(key, async ({ signal }) => {
    await rest(signal);
    const [from, to] = stretch ?? [0, 0];
    const found = await Promise.all(
      runs
        .filter(({ overview }) => from < overview.wall_ns && overview.basis_sum_ns > 0)
        .map(async ({ id, overview: { strip, wall_ns } }) => {
          const ends = [strip.start_ns + from, strip.start_ns + Math.min(to, wall_ns)] as const;
          const timeline = await client.timeline(id, ends, { selection, signal });
          return [id, timeline.strip] as const;
        }),
    );
    return { of, strips: new Map(found) };
  });
  const isOfThese = range !== null && loaded.data?.of === of;
  return { strips: isOfThese ? (loaded.data?.strips ?? NONE) : NONE, error: loaded.error };
}

function rest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, REST_MS);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
