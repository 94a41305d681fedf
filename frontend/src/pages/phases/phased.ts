// A run with its phases and its overview, and how it is loaded.

import type { Ask, Client, Selection } from "../../api/client";
import type { Phases } from "../../api/phases";
import type { Overview, Run } from "../../api/types";

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

export async function loadPhased(
  client: Client,
  { id, label }: Run,
  ask: Required<Ask>,
): Promise<Phased> {
  const [phases, overview] = await Promise.all([
    client.view<Phases>("phases", [id], ask),
    client.overview(id, { ...ask, selection: withoutCalls(ask.selection) }),
  ]);
  return { id, label, phases, overview };
}
