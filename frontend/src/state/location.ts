// Where the state is kept: TensorBoard's address bar, or our own when not framed.

import { useEffect, useState } from "preact/hooks";
import { decodeState, encodeState, isOurs, type State } from "./url";

/** `push` gives the browser's back button a step, `replace` does not. */
export type How = "push" | "replace";

export interface Store {
  read(): State;
  write(change: Partial<State>, how: How): void;
  /** Calls `listener` after each change; returns how to stop. */
  listen(listener: (state: State) => void): () => void;
}

/** The window whose address a person sees: the parent's where it is of this origin. */
export function addressWindow(own: Window = window): Window {
  try {
    if (own.parent !== own && own.parent.location.hash !== undefined) return own.parent;
  } catch {
    // A parent of another origin: its address is not ours to read.
  }
  return own;
}

/** A store in the hash of `host`. */
export function createStore(host: Window): Store {
  const listeners = new Set<(state: State) => void>();
  let state = decodeState(host.location.hash);
  let written = host.location.hash;

  function changed(): void {
    const hash = host.location.hash;
    // Another tab of TensorBoard is in front, or the change is our own.
    if (hash === written || !isOurs(hash)) return;
    written = hash;
    state = decodeState(hash);
    for (const listener of listeners) listener(state);
  }

  function put(hash: string, how: How): void {
    const { history } = host;
    const address = host.location.href.split("#", 1)[0] + hash;
    // What TensorBoard keeps in `state` goes along: it tells it that nothing else has changed.
    try {
      if (how === "push") history.pushState(history.state, "", address);
      else history.replaceState(history.state, "", address);
    } catch {
      // A document without an address of its own (a report inside a notebook): no link to keep.
      return;
    }
    written = host.location.hash;
    // History is silent about changes by script, and TensorBoard would write back what it last saw.
    host.dispatchEvent(new HashChangeEvent("hashchange"));
  }

  host.addEventListener("hashchange", changed);
  host.addEventListener("popstate", changed);
  window.addEventListener("pagehide", () => {
    host.removeEventListener("hashchange", changed);
    host.removeEventListener("popstate", changed);
  });

  return {
    read: () => state,
    write(change, how) {
      state = { ...state, ...change };
      if (isOurs(host.location.hash)) {
        const hash = encodeState(state, host.location.hash);
        if (hash !== host.location.hash) put(hash, how);
      }
      for (const listener of listeners) listener(state);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The state now, and again whenever it changes. */
export function useStoreState(store: Store): State {
  const [state, setState] = useState(store.read);
  useEffect(() => {
    setState(store.read());
    return store.listen(setState);
  }, [store]);
  return state;
}
