// The pages in the order of the rail. A page is one folder and one line here.

import type { ComponentType } from "preact";
import type { Client, Selection } from "../api/client";
import type { Run } from "../api/types";
import type { Store } from "../state/location";
import type { State } from "../state/url";
import type { Mode } from "../theme/mode";

/** What every page is given. */
export interface PageProps {
  client: Client;
  store: Store;
  state: State;
  /** The chosen runs in order, never none; the first is the base. */
  runs: readonly Run[];
  /** The filters, to be asked with. */
  selection: Selection;
  mode: Mode;
  /** Tells the frame that the states of the runs may have changed. */
  onRead: () => void;
  /** Stops reading a run; null where nothing is read. */
  onStop: ((id: string) => void) | null;
}

export interface Page {
  id: string;
  title: string;
  hint: string;
  /** Whether it knows the filters of attention calls: kind, axis, phase. */
  hasCalls?: boolean;
  /** Whether it is of all runs there are, whichever are chosen; its route has its name. */
  isOfAll?: boolean;
  load: () => Promise<ComponentType<PageProps>>;
}

export const PAGES: readonly Page[] = [
  {
    id: "overview",
    title: "Overview",
    hint: "Where the time goes and what limits it",
    load: async () => (await import("./overview")).OverviewPage,
  },
  {
    id: "operators",
    title: "Operators",
    hint: "Which operators the time goes to",
    load: async () => (await import("./operators")).OperatorsPage,
  },
  {
    id: "attention",
    title: "Attention",
    hint: "Sequence length per attention call",
    hasCalls: true,
    load: async () => (await import("./attention")).AttentionPage,
  },
  {
    id: "phases",
    title: "Phases",
    hint: "What prefill, decode, denoising and encoding take",
    hasCalls: true,
    load: async () => (await import("./phases")).PhasesPage,
  },
  {
    id: "speedup",
    title: "Speedup",
    hint: "What fused attention gains, and why",
    hasCalls: true,
    load: async () => (await import("./speedup")).SpeedupPage,
  },
  {
    id: "spacetime",
    title: "Space and time",
    hint: "Temporal against spatial attention",
    hasCalls: true,
    load: async () => (await import("./spacetime")).SpaceTimePage,
  },
  {
    id: "roofline",
    title: "Roofline",
    hint: "How far from the device's roof, and what to fix first",
    load: async () => (await import("./roofline")).RooflinePage,
  },
  {
    id: "memory",
    title: "Memory",
    hint: "Score matrices by the paper's formula and as recorded, and the peak",
    load: async () => (await import("./memory")).MemoryPage,
  },
  {
    id: "scaling",
    title: "Scaling",
    hint: "What grows fastest with image size, frames, batch or prompt",
    load: async () => (await import("./scaling")).ScalingPage,
  },
  {
    id: "paper",
    title: "Paper",
    hint: "How many of the paper's claims hold here",
    isOfAll: true,
    load: async () => (await import("./paper")).PaperPage,
  },
  {
    id: "trace",
    title: "Trace",
    hint: "The trace in the Perfetto UI",
    load: async () => (await import("./trace")).TracePage,
  },
];
