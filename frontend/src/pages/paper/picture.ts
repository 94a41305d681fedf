// A figure as a picture: its small multiples side by side.

import type { Context } from "../../drawing/Canvas";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import type { Mode } from "../../theme/mode";
import { draw, heightOf } from "./draw";
import type { Drawn } from "./model";

const GAP = 24;
const MOST_COLUMNS = 3;

export function pictureOfFigure(
  drawn: Drawn,
  title: string,
  caption: string,
  mode: Mode,
): Promise<Blob> {
  const columns = Math.max(1, Math.min(MOST_COLUMNS, drawn.panels.length));
  const width = (PICTURE_ROOM - (columns - 1) * GAP) / columns;
  const rows = Array.from({ length: Math.ceil(drawn.panels.length / columns) }, (_, at) =>
    drawn.panels.slice(at * columns, (at + 1) * columns),
  );
  return pictureOf({
    title,
    caption: `${caption} ${legendWords(drawn)}`.trim(),
    mode,
    names: drawn.legend.flatMap(({ name, look, isCited }) =>
      look === null && !isCited && drawn.header.includes("category") ? [name] : [],
    ),
    hasUnlinked: false,
    parts: rows.map((panels) => ({
      text: "",
      height: Math.max(...panels.map(heightOf)),
      draw: (context: Context) => {
        panels.forEach((panel, at) => {
          context.save();
          context.translate(at * (width + GAP), 0);
          draw(context, panel, { mode, width });
          context.restore();
        });
      },
    })),
  });
}

/** What the looks stand for, in words. */
function legendWords(drawn: Drawn): string {
  const words = drawn.legend.flatMap(({ name, look, isCited }) => {
    if (isCited) return [`hatched: ${name}`];
    if (look === null) return [];
    return [`${look.inside === "ring" ? "hollow " : ""}${look.shape}: ${name}`];
  });
  return words.length === 0 ? "" : `${words.join("; ")}.`;
}
