// A mark of a plot inside of text: in legends and table cells.

import type { Inside, Shape } from "../theme/kinds";

const SHAPES: Readonly<Record<Shape, string>> = {
  disc: "M2 6a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
  square: "M2.4 2.4h7.2v7.2h-7.2z",
  diamond: "M6 1l5 5l-5 5l-5-5z",
  triangle: "M6 1.4l4.8 8.4h-9.6z",
};

export function MarkIcon(props: { color: string; shape: Shape; inside: Inside; faint?: boolean }) {
  const { color, shape, inside } = props;
  return (
    <svg class="mark" viewBox="0 0 12 12" aria-hidden="true" opacity={props.faint ? 0.42 : 1}>
      <path
        d={SHAPES[shape]}
        fill={inside === "filled" || inside === "barred" ? color : "none"}
        stroke={color}
        stroke-width="1.6"
      />
      {inside === "barred" && <path d="M3 6h6" stroke="var(--panel)" stroke-width="1.3" />}
      {inside === "dotted" && <circle cx="6" cy="6" r="1.5" fill={color} />}
    </svg>
  );
}
