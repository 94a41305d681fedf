// The state of the pages as `key=value` parts of TensorBoard's hash, `#genscope&gs.runs=…`.
// TensorBoard keeps parts that it does not know when another tab is chosen, and so do we.

export const PLUGIN = "genscope";

const PREFIX = "gs.";

/** Parts of a link that are filters are named after this. */
const FILTER_PREFIX = `${PREFIX}where.`;

/** Parts of a link that belong to a single page are named after this. */
const OF_PREFIX = `${PREFIX}of.`;

export type Scale = "relative" | "absolute";

/** Whether the strips of several runs share one axis of time, or each fills the width. */
export type Axis = "shared" | "own";

/** First and last nanosecond of what is shown, from the start of each timeline. */
export type Range = readonly [number, number];

/** Chosen values by id of the filter; one that is not there takes everything. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** What single pages keep, by name: text, since only the page knows what it means. */
export type Of = Readonly<Record<string, string>>;

/** A column to sort by. */
export interface Sort {
  column: string;
  descending: boolean;
}

/** Everything that a link to a view restores. */
export interface State {
  /** Id of the page in the registry. */
  page: string;
  /** Ids of the chosen runs in order; the first is the base. Null until a choice is made. */
  runs: readonly string[] | null;
  /** What holds on every page, see `filters/registry`. */
  filters: Filters;
  /** What single pages keep, each name beginning with its page's; an empty text is none. */
  of: Of;
  scale: Scale;
  axis: Axis;
  /** The part of the timelines that is zoomed in on; null shows all of them. */
  range: Range | null;
  /** The run whose tables are shown; null means the base. */
  shown: string | null;
  /** Which table is in front. */
  table: string;
  sort: Sort | null;
  search: string;
  /** Keys of the rows that are open. */
  open: readonly string[];
}

export const DEFAULT_STATE: State = {
  page: "overview",
  runs: null,
  filters: {},
  of: {},
  scale: "relative",
  axis: "shared",
  range: null,
  shown: null,
  table: "operators",
  sort: null,
  search: "",
  open: [],
};

/** Open rows that would make a link longer than this are left out of it. */
const MAX_OPEN_LETTERS = 1500;

interface Codec<T> {
  encode(value: T): string | null;
  decode(text: string): T;
}

const list: Codec<readonly string[]> = {
  encode: (values) => (values.length > 0 ? values.map(escapeItem).join(",") : null),
  decode: (text) => text.split(",").map(unescapeItem),
};

function text(byDefault: string): Codec<string> {
  return { encode: (value) => (value === byDefault ? null : value), decode: (value) => value };
}

/** The parts of the state that one part of a link each holds. */
type Single = Exclude<keyof State, "filters" | "of">;

/** How each of them is written; null stands for the default and is left out. */
const CODECS: { [K in Single]: Codec<State[K]> } = {
  page: text(DEFAULT_STATE.page),
  runs: {
    // No run at all is a choice too, and differs from none made.
    encode: (value) => (value === null ? null : (list.encode(value) ?? "")),
    decode: (value) => (value === "" ? [] : list.decode(value)),
  },
  scale: {
    encode: (value) => (value === DEFAULT_STATE.scale ? null : value),
    decode: (value) => (value === "absolute" ? "absolute" : "relative"),
  },
  axis: {
    encode: (value) => (value === DEFAULT_STATE.axis ? null : value),
    decode: (value) => (value === "own" ? "own" : "shared"),
  },
  range: {
    encode: (value) => value?.join("-") ?? null,
    decode: (value) => {
      const [, from, to] = /^(\d{1,15})-(\d{1,15})$/.exec(value) ?? [];
      return Number(from) < Number(to) ? [Number(from), Number(to)] : null;
    },
  },
  shown: { encode: (value) => value, decode: (value) => value },
  table: text(DEFAULT_STATE.table),
  sort: {
    encode: (value) => value && `${value.descending ? "-" : ""}${value.column}`,
    decode: (value) => {
      const descending = value.startsWith("-");
      return { column: descending ? value.slice(1) : value, descending };
    },
  },
  search: text(DEFAULT_STATE.search),
  open: { encode: (value) => list.encode(firstLetters(value)), decode: list.decode },
};

const KEYS = Object.keys(CODECS) as Single[];

/** Whether `hash` shows this plugin; an empty hash shows whichever tab TensorBoard chose. */
export function isOurs(hash: string): boolean {
  const tab = parts(hash).find((part) => !part.includes("="));
  return tab === undefined || tab === PLUGIN;
}

/** The state that `hash` holds; what it lacks or cannot mean is as by default. */
export function decodeState(hash: string): State {
  const state: State = { ...DEFAULT_STATE };
  const found = new Map<string, string>();
  for (const part of parts(hash)) {
    const [key, value] = part.split("=");
    if (key !== undefined && value !== undefined) found.set(decodePart(key), decodePart(value));
  }
  for (const key of KEYS) read(state, key, found.get(PREFIX + key));
  const named = (prefix: string) =>
    [...found]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value] as const);
  state.filters = Object.fromEntries(
    named(FILTER_PREFIX).map(([id, value]) => [id, list.decode(value)]),
  );
  state.of = Object.fromEntries(named(OF_PREFIX).filter(([, value]) => value !== ""));
  return state;
}

/** `hash` with our parts replaced by `state`, and the parts of others kept. */
export function encodeState(state: State, hash: string): string {
  const others = parts(hash).filter(
    (part) => part.includes("=") && !decodePart(part).startsWith(PREFIX),
  );
  const ours = KEYS.flatMap((key) => write(state, key));
  const filters = Object.entries(state.filters).flatMap(([id, values]) => {
    const value = list.encode(values);
    return value === null ? [] : [part(FILTER_PREFIX + id, value)];
  });
  const of = Object.entries(state.of).flatMap(([name, value]) =>
    value === "" ? [] : [part(OF_PREFIX + name, value)],
  );
  return `#${[PLUGIN, ...others, ...ours, ...filters, ...of].join("&")}`;
}

function read<K extends Single>(state: State, key: K, value: string | undefined): void {
  if (value !== undefined) state[key] = CODECS[key].decode(value);
}

function write<K extends Single>(state: State, key: K): string[] {
  const value = CODECS[key].encode(state[key]);
  return value === null ? [] : [part(PREFIX + key, value)];
}

function part(key: string, value: string): string {
  return `${encodeURIComponent(key)}=${encodeURIComponent(value)}`;
}

function parts(hash: string): string[] {
  return hash.replace(/^#/, "").split("&").filter(Boolean);
}

function firstLetters(items: readonly string[]): string[] {
  let letters = 0;
  return items.filter((item) => {
    letters += item.length;
    return letters <= MAX_OPEN_LETTERS;
  });
}

function escapeItem(item: string): string {
  return item.replace(/[%,]/g, encodeURIComponent);
}

function unescapeItem(item: string): string {
  return item.replace(/%25|%2C/g, decodeURIComponent);
}

/** Decodes a part of a link; a broken escape stays as it is. */
function decodePart(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
