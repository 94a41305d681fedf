// The timeline as a picture to keep: title, strips, legend and caption.

import type { Axis } from "../../state/url";
import { inOrder, paintOf } from "../../theme/colors";
import { CHART_COLORS, type Mode } from "../../theme/mode";
import { drawStrip, FONT, layoutOf, type StripInput } from "./strip";
import type { Summed } from "./summed";
import { plotHeight, spanOf } from "./Timeline";
import { deviceNames } from "./words";

const WIDTH = 1200;
const MARGIN = 14;
const SCALE = 2;

export interface PictureInput {
  runs: readonly Summed[];
  axis: Axis;
  mode: Mode;
  title: string;
  caption: string;
}

export function timelinePicture(input: PictureInput): Promise<Blob> {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const height = draw(context, input, false);
  canvas.width = WIDTH * SCALE;
  canvas.height = height * SCALE;
  context.scale(SCALE, SCALE);
  context.fillStyle = CHART_COLORS[input.mode].background;
  context.fillRect(0, 0, WIDTH, height);
  draw(context, input, true);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error("The picture could not be drawn."));
    }, "image/png");
  });
}

/** Draws, or only measures, and gives the height. */
function draw(context: CanvasRenderingContext2D, input: PictureInput, isDrawn: boolean): number {
  const colors = CHART_COLORS[input.mode];
  const room = WIDTH - 2 * MARGIN;
  let y = MARGIN;

  function write(text: string, font: string, color: string, step: number): void {
    context.font = font;
    context.fillStyle = color;
    context.textAlign = "left";
    context.textBaseline = "top";
    for (const line of lines(context, text, room)) {
      if (isDrawn) context.fillText(line, MARGIN, y);
      y += step;
    }
  }

  write(input.title, `15px ${FONT}`, colors.text, 20);
  y += 6;
  y += legend(context, input, y, isDrawn);
  for (const run of input.runs) {
    const strip: StripInput = {
      overview: run.overview,
      mode: input.mode,
      width: room,
      plot: plotHeight(input.runs.length),
      span_ns: spanOf(run, input.runs, input.axis),
    };
    write(`${run.label}, ${deviceNames(run.overview)}`, `12px ${FONT}`, colors.text, 18);
    if (isDrawn) {
      context.save();
      context.translate(MARGIN, y);
      drawStrip(context, strip);
      context.restore();
    }
    y += layoutOf(strip).height + 8;
  }
  write(input.caption, `11px ${FONT}`, colors.soft, 14);
  return y + MARGIN;
}

/** Pixels that it takes. */
function legend(
  context: CanvasRenderingContext2D,
  input: PictureInput,
  top: number,
  isDrawn: boolean,
): number {
  context.font = `12px ${FONT}`;
  context.textBaseline = "top";
  context.textAlign = "left";
  let x = MARGIN;
  let y = top;
  for (const name of inOrder(input.runs.flatMap((run) => run.overview.strip.categories))) {
    const width = 18 + context.measureText(name).width + 16;
    if (x + width > WIDTH - MARGIN) {
      x = MARGIN;
      y += 18;
    }
    if (isDrawn) {
      context.fillStyle = paintOf(name).fill;
      context.fillRect(x, y + 1, 11, 11);
      context.fillStyle = CHART_COLORS[input.mode].text;
      context.fillText(name, x + 16, y);
    }
    x += width;
  }
  return y - top + 24;
}

/** `text` broken into lines that fit; a word that is too long stands alone. */
function lines(context: CanvasRenderingContext2D, text: string, room: number): string[] {
  const all: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && context.measureText(longer).width > room) {
      all.push(line);
      line = word;
    } else line = longer;
  }
  return [...all, line];
}
