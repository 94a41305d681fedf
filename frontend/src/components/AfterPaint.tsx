// What stands below the chart, drawn a moment later, so that the chart is not kept waiting for it.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

export function AfterPaint(props: { children: () => ComponentChildren }) {
  const [isPainted, setPainted] = useState(false);
  // Preact runs effects once the browser has painted.
  useEffect(() => setPainted(true), []);
  return <>{isPainted && props.children()}</>;
}
