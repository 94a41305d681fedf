// The small multiples of a figure, with figures where one points or goes with the arrow keys.

import { useCallback, useRef, useState } from "preact/hooks";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import type { Mode } from "../../theme/mode";
import { draw, heightOf, spotOf, tipAt, tipsOf } from "./draw";
import type { Panel, Tip } from "./model";

export function Multiples(props: { panels: readonly Panel[]; label: string; mode: Mode }) {
  const isNarrow = props.panels.every((panel) => panel.kind === "bars");
  const width = props.panels.length === 1 ? "single" : isNarrow ? "narrow" : "";
  return (
    <div class={`multiples ${width}`}>
      {props.panels.map((panel) => (
        <One key={panel.title} panel={panel} label={props.label} mode={props.mode} />
      ))}
    </div>
  );
}

const TIP_WIDTH = 260;

function One({ panel, label, mode }: { panel: Panel; label: string; mode: Mode }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState(-1);
  const place = { mode, width };
  const paint = useCallback(
    (context: Context) => draw(context, panel, { mode, width }),
    [panel, mode, width],
  );
  const tips = tipsOf(panel);
  const tip = tips[pointed];

  function onKeyDown(event: KeyboardEvent): void {
    const last = tips.length - 1;
    const to: Record<string, number> = {
      ArrowRight: Math.min(last, pointed + 1),
      ArrowDown: Math.min(last, pointed + 1),
      ArrowLeft: Math.max(0, pointed - 1),
      ArrowUp: Math.max(0, pointed - 1),
      Escape: -1,
    };
    const next = to[event.key];
    if (next === undefined || last < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setPointed(next);
  }

  const spot = tip ? spotOf(panel, place, pointed) : { x: 0, y: 0 };
  return (
    <div
      ref={box}
      class="plot-box"
      role="slider"
      aria-label={`${label}: ${panel.title}. Arrow keys go through the values.`}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, tips.length)}
      aria-valuenow={pointed + 1}
      aria-valuetext={tip ? said(tip) : "nothing"}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(-1)}
      onPointerMove={(event) => {
        const rect = event.currentTarget.getBoundingClientRect();
        setPointed(tipAt(panel, place, event.clientX - rect.left, event.clientY - rect.top));
      }}
      onPointerLeave={() => setPointed(-1)}
    >
      <Canvas width={width} height={heightOf(panel)} draw={paint} />
      {tip && (
        <div
          class="tip"
          role="tooltip"
          style={{
            left: `${Math.max(0, Math.min(spot.x + 12, width - TIP_WIDTH))}px`,
            top: `${spot.y + 10}px`,
            width: `${TIP_WIDTH}px`,
          }}
        >
          <b>{tip.title}</b>
          <span class="of">{tip.of}</span>
          <dl>
            {tip.rows.map(([name, value, exact]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
                <dd class="exact">{exact ?? ""}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </div>
  );
}

function said(tip: Tip): string {
  return `${tip.title}, ${tip.of}: ${tip.rows.map(([name, value]) => `${name} ${value}`).join(", ")}`;
}
