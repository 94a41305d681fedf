// The entry: TensorBoard imports this module into its frame and calls `render`.

import { render as renderTree } from "preact";
import { createClient } from "./api/client";
import { App } from "./app";
import { addressWindow, createStore } from "./state/location";
import { adoptFont } from "./theme/font";
import { STYLES } from "./theme/styles";

/** The folder of this module: its routes lie beside it, below any path prefix. */
function routes(): URL {
  const here = import.meta.url;
  return import.meta.env.DEV ? new URL("/data/plugin/genscope/", here) : new URL("./", here);
}

/** Draws the pages into the document. */
export function render(): void {
  const style = document.createElement("style");
  style.textContent = STYLES;
  document.head.append(style);
  const root = document.createElement("div");
  root.id = "genscope";
  document.body.append(root);
  const host = addressWindow();
  adoptFont(host, document);
  renderTree(<App client={createClient(routes())} store={createStore(host)} host={host} />, root);
}
