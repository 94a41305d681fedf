// A run with its phases and its overview, and how all of the chosen ones are loaded.

import type { Client, Selection } from "../../api/client";
import type { Phases } from "../../api/phases";
import type { Overview, Run } from "../../api/types";
import { type Asking, type EachOf, loadEach } from "../../state/each";

/** The overview tells what the device did meanwhile, and where its time begins. */
export interface Phased {
  id: string;
  label: string;
  phases: Phases;
  overview: Overview;
}

/** Filters that take attention calls: the overview knows nothing of them. */
const OF_CALLS = ["kind", "axis", "phase"];

export function withoutCalls(selection: Selection): Selection {
  return selection.filter(([name]) => !OF_CALLS.includes(name));
}

export function loadPhased(
  client: Client,
  runs: readonly Run[],
  ask: Asking,
  selection: Selection,
): Promise<EachOf<Phased>> {
  return loadEach(runs, ask, async ({ id, label }, own) => {
    const [phases, overview] = await Promise.all([
      client.view<Phases>("phases", [id], { ...own, selection }),
      client.overview(id, { ...own, selection: withoutCalls(selection) }),
    ]);
    return { id, label, phases, overview };
  });
}
