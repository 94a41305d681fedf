// The chart as a picture: the plots one below the other, each with its distribution.

import { type Context, FONT } from "../../drawing/Canvas";
import { type Part, PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { drawPlot, type PlotAxis } from "../../drawing/plot";
import { spriteOf } from "../../drawing/sprite";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { type Drawn, type Key, keysOf } from "./drawn";
import { drawHistogram } from "./histogram";
import { legendOf } from "./looks";
import { PLOT_HEIGHT, partsOf } from "./plot";
import type { Sequenced } from "./sequences";
import type { View } from "./view";

const BESIDE = 200;

export function savePicture(picture: {
  title: string;
  caption: string;
  mode: Mode;
  parts: readonly { run: Sequenced; drawn: Drawn }[];
  y: PlotAxis;
  view: View;
}): Promise<Blob> {
  const { title, caption, mode, y, view } = picture;
  const keys = keysOf(picture.parts.map((part) => part.drawn));
  const plots = picture.parts.map(({ run, drawn }): Part => {
    const parts = partsOf(run, drawn, y, view, mode);
    return {
      text: run.label,
      height: PLOT_HEIGHT,
      draw: (context) => {
        drawPlot(context, { ...parts, width: PICTURE_ROOM - BESIDE, height: PLOT_HEIGHT });
        context.translate(PICTURE_ROOM - BESIDE + 10, 0);
        const { levels } = run.sequence;
        const size = { width: BESIDE - 10, height: PLOT_HEIGHT };
        drawHistogram(context, { levels, weight: view.weight, y, mode, ...size });
      },
    };
  });
  const legend: Part = { text: "", height: 20, draw: (context) => drawLegend(context, keys, mode) };
  const parts = [legend, ...plots];
  return pictureOf({ title, caption, mode, names: [], hasUnlinked: false, parts });
}

function drawLegend(context: Context, keys: readonly Key[], mode: Mode): void {
  let x = 0;
  context.font = `12px ${FONT}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const { look, name } of legendOf(keys, mode)) {
    const { canvas, size } = spriteOf({ ...look, radius: 4.5, mode });
    context.drawImage(canvas, x, 8 - size / 2, size, size);
    context.fillStyle = CHART_COLORS[mode].text;
    context.fillText(name, x + size + 4, 8);
    x += size + 4 + context.measureText(name).width + 18;
  }
}
