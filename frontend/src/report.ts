// The entry of a report: a document that holds its data and needs nothing else.

import { createEmbedded, type Embedded } from "./api/embedded";
import { start } from "./start";
import { createStore } from "./state/location";

const data = JSON.parse(document.getElementById("genscope-data")?.textContent ?? "") as Embedded;
const store = createStore(window);
// A link into the report says what to show; without one it is what the report was made for.
if (window.location.hash === "") store.write({ page: data.page }, "replace");
start(createEmbedded(data), store, window);
