// A long list that comes in windows: what is here, what is on its way, what failed.

import { type Held, neededPage, PAGE, placeOfKey, type RowWindow, withWindow } from "./windows";

export interface WindowAsk {
  first: number;
  count: number;
  /** Instead of `first`: around the row with this key. */
  at: number | null;
  signal: AbortSignal;
}

export type LoadWindow<T> = (ask: WindowAsk) => Promise<RowWindow<T>>;

/** Nothing is asked for while the table is being scrolled: so long must it rest. */
const REST_MS = 60;

export class WindowList<T> {
  /** The last list that came, also while another is awaited. */
  held: Held<T> | null = null;
  isStale = false;
  error: Error | null = null;
  /** The key that was looked for and is not in the list. */
  lost: number | null = null;

  private key: string | null = null;
  private load: LoadWindow<T> = () => Promise.reject(new Error("There is no list yet."));
  private keyOf: (row: T) => number = () => -1;
  private marked: number | null = null;
  private finding: AbortController | null = null;
  private filling: AbortController | null = null;
  /** What the running request is for: scrolling on within it does not ask again. */
  private page: number | null = null;

  constructor(private readonly onChange: () => void) {}

  /** Begins a list: at its top, or, the first one, around the row with key `at`. */
  begin(key: string, load: LoadWindow<T>, keyOf: (row: T) => number, at: number | null): void {
    if (key === this.key) return;
    const isFirst = this.key === null;
    this.stop();
    Object.assign(this, { key, load, keyOf, isStale: this.held !== null, error: null, lost: null });
    this.marked = at;
    this.seek(isFirst ? at : null);
  }

  /** Has the row with `key` come, if it is not here. */
  find(key: number | null): void {
    if (key === this.marked) return;
    this.marked = key;
    if (this.lost !== null) {
      this.lost = null;
      this.onChange();
    }
    if (key === null || this.key === null) return;
    if (this.held === null || this.isStale || placeOfKey(this.held, key, this.keyOf) === null) {
      this.seek(key);
    }
  }

  /** Has rows `first` to `last` come, the last not included, once nothing else is wanted. */
  want(first: number, last: number): void {
    const page = this.held && !this.isStale ? neededPage(this.held, first, last) : null;
    if (page === this.page || this.error !== null) return;
    this.filling?.abort();
    this.filling = null;
    this.page = page;
    if (page === null) return;
    const abort = new AbortController();
    this.filling = abort;
    const timer = setTimeout(() => {
      this.ask({ first: page * PAGE, count: PAGE, at: null, signal: abort.signal }, page);
    }, REST_MS);
    abort.signal.addEventListener("abort", () => clearTimeout(timer));
  }

  again(): void {
    this.error = null;
    this.page = null;
    if (this.held === null || this.isStale) this.seek(null);
    this.onChange();
  }

  /** Stops what is on its way. */
  stop(): void {
    this.finding?.abort();
    this.filling?.abort();
    this.filling = null;
    this.page = null;
  }

  private seek(at: number | null): void {
    this.finding?.abort();
    this.finding = new AbortController();
    this.ask({ first: 0, count: PAGE, at, signal: this.finding.signal }, at === null ? 0 : null);
  }

  private async ask(ask: WindowAsk, page: number | null): Promise<void> {
    try {
      const window = await this.load(ask);
      if (ask.signal.aborted) return;
      this.held = withWindow(this.isStale ? null : this.held, window, page);
      this.isStale = false;
      const isFound = ask.at === null || placeOfKey(this.held, ask.at, this.keyOf) !== null;
      if (!isFound) this.lost = ask.at;
    } catch (error) {
      if (ask.signal.aborted) return;
      this.error = error as Error;
    }
    if (page !== null && page === this.page) this.page = null;
    this.onChange();
  }
}
