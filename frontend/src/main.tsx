// The entry: TensorBoard imports this module into its frame and calls `render`.

import { createClient } from "./api/client";
import { start } from "./start";
import { addressWindow, createStore } from "./state/location";
import { adoptFont } from "./theme/font";

/** The folder of this module: its routes lie beside it, below any path prefix. */
function routes(): URL {
  const here = import.meta.url;
  return import.meta.env.DEV ? new URL("/data/plugin/genscope/", here) : new URL("./", here);
}

/** Draws the pages into the document. */
export function render(): void {
  const host = addressWindow();
  adoptFont(host, document);
  start(createClient(routes()), createStore(host), host);
}
