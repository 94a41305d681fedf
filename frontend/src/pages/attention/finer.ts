// A stretch of a run's calls in more detail than the whole sequence has them.

import { useMemo, useRef } from "preact/hooks";
import type { Sequence } from "../../api/attention";
import type { Client, Selection } from "../../api/client";
import type { Stretch } from "../../drawing/stretch";
import { useLoaded } from "../../state/loaded";
import { askedFor, type Drawn, drawnOf, joined } from "./drawn";
import type { Sequenced } from "./sequences";

/** Nothing is asked for while a gesture goes on: so long must it rest. */
const REST_MS = 60;

/** Calls drawn at once. */
const POINTS = 4000;

/** The calls to draw of a run where `places` are shown; all of them are here in a small trace. */
export function useDrawn(
  client: Client,
  run: Sequenced,
  selection: Selection,
  places: Stretch | null,
): { drawn: Drawn; isCoarse: boolean; error: Error | null } {
  const { series } = run.sequence;
  const whole = useMemo(() => drawnOf(series), [series]);
  const isWhole = series.each <= 1 || !client.isLive;
  const asked = useRef<Stretch | null>(null);
  asked.current = places && askedFor(places, asked.current, series.total);
  const stretch = asked.current;
  const of = JSON.stringify([run.id, selection, series.total]);
  const key = stretch && !isWhole ? `${of} ${stretch}` : null;
  const loaded = useLoaded<{ of: string; each: number; drawn: Drawn }>(key, async ({ signal }) => {
    await rest(signal);
    const [from, to] = stretch ?? [0, 0];
    const answer = await client.view<Sequence>("sequence", [run.id], {
      signal,
      selection: [
        ...selection,
        ["from_call", `${from}`],
        ["to_call", `${to}`],
        ["points", `${POINTS}`],
      ],
    });
    return { of, each: answer.series.each, drawn: drawnOf(answer.series) };
  });
  const fine = places !== null && loaded.data?.of === of ? loaded.data : null;
  const drawn = useMemo(() => (fine ? joined(whole, fine.drawn) : whole), [whole, fine]);
  return { drawn, isCoarse: (fine?.each ?? series.each) > 1, error: loaded.error };
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
