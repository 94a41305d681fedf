// The style sheets as one text: the entry puts it into the document, so no file has to be found.

import attention from "./attention.css?inline";
import base from "./base.css?inline";
import chart from "./chart.css?inline";
import frame from "./frame.css?inline";
import memory from "./memory.css?inline";
import notices from "./notices.css?inline";
import overview from "./overview.css?inline";
import paper from "./paper.css?inline";
import phases from "./phases.css?inline";
import plot from "./plot.css?inline";
import roofline from "./roofline.css?inline";
import runs from "./runs.css?inline";
import spacetime from "./spacetime.css?inline";
import speedup from "./speedup.css?inline";
import table from "./table.css?inline";
import trace from "./trace.css?inline";

export const STYLES = [
  base,
  frame,
  runs,
  notices,
  chart,
  table,
  overview,
  plot,
  attention,
  speedup,
  phases,
  spacetime,
  paper,
  roofline,
  memory,
  trace,
].join("\n");
