// Puts the pages into a document.

import { render } from "preact";
import type { Client } from "./api/client";
import { App } from "./app";
import type { Store } from "./state/location";
import { STYLES } from "./theme/styles";

/** Draws the pages; `host` is the window whose theme they follow. */
export function start(client: Client, store: Store, host: Window): void {
  const style = document.createElement("style");
  style.textContent = STYLES;
  document.head.append(style);
  const root = document.createElement("div");
  root.id = "genscope";
  document.body.append(root);
  render(<App client={client} store={store} host={host} />, root);
}
