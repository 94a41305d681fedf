// A share with a bar behind it, so that a column can be read at a glance.

import type { ComponentChildren } from "preact";

export function ShareBar(props: { share: number; children: ComponentChildren }) {
  return (
    <span class="share">
      <i style={{ width: `${Math.min(1, Math.max(0, props.share)) * 100}%` }} />
      <span>{props.children}</span>
    </span>
  );
}
