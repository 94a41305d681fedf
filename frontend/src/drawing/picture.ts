// A figure as a picture to keep: its title, legend and caption drawn in.

import { inOrder, paintOf, UNLINKED_FILL, UNLINKED_NAME } from "../theme/colors";
import { CHART_COLORS, type Mode } from "../theme/mode";
import { type Context, drawDots, FONT } from "./Canvas";

const WIDTH = 1200;
const MARGIN = 14;
const SCALE = 2;
const SWATCH = 11;

/** Pixels that the drawn parts of a picture are wide. */
export const PICTURE_ROOM = WIDTH - 2 * MARGIN;

/** A drawing under a line of text, which may be empty. */
export interface Part {
  text: string;
  height: number;
  draw: (context: Context) => void;
}

export interface Picture {
  title: string;
  caption: string;
  mode: Mode;
  /** Categories of the legend, and whether anything is dotted. */
  names: readonly string[];
  hasUnlinked: boolean;
  parts: readonly Part[];
}

/** A PNG at twice the size. */
export function pictureOf(picture: Picture): Promise<Blob> {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d") as Context;
  const height = draw(context, picture, false);
  canvas.width = WIDTH * SCALE;
  canvas.height = height * SCALE;
  context.scale(SCALE, SCALE);
  context.fillStyle = CHART_COLORS[picture.mode].background;
  context.fillRect(0, 0, WIDTH, height);
  draw(context, picture, true);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error("The picture could not be drawn."));
    }, "image/png");
  });
}

/** Draws, or only measures, and gives the height. */
function draw(context: Context, picture: Picture, isDrawn: boolean): number {
  const colors = CHART_COLORS[picture.mode];
  let y = MARGIN;

  function write(text: string, font: string, color: string, step: number): void {
    if (text === "") return;
    context.font = font;
    context.fillStyle = color;
    context.textAlign = "left";
    context.textBaseline = "top";
    for (const line of lines(context, text, PICTURE_ROOM)) {
      if (isDrawn) context.fillText(line, MARGIN, y);
      y += step;
    }
  }

  write(picture.title, `15px ${FONT}`, colors.text, 20);
  y += 6;
  y += legend(context, picture, y, isDrawn);
  for (const part of picture.parts) {
    write(part.text, `12px ${FONT}`, colors.text, 18);
    if (isDrawn) {
      context.save();
      context.translate(MARGIN, y);
      part.draw(context);
      context.restore();
    }
    y += part.height + 8;
  }
  write(picture.caption, `11px ${FONT}`, colors.soft, 14);
  return y + MARGIN;
}

/** Pixels that it takes. */
function legend(context: Context, picture: Picture, top: number, isDrawn: boolean): number {
  context.font = `12px ${FONT}`;
  context.textBaseline = "top";
  context.textAlign = "left";
  const entries = inOrder(picture.names).map((name) => ({ name, fill: paintOf(name).fill }));
  if (picture.hasUnlinked) entries.push({ name: UNLINKED_NAME, fill: UNLINKED_FILL });
  let x = MARGIN;
  let y = top;
  for (const { name, fill } of entries) {
    const width = 18 + context.measureText(name).width + 16;
    if (x + width > WIDTH - MARGIN) {
      x = MARGIN;
      y += 18;
    }
    if (isDrawn) {
      context.fillStyle = fill;
      context.fillRect(x, y + 1, SWATCH, SWATCH);
      if (name === UNLINKED_NAME) drawDots(context, x, y + 1, SWATCH, SWATCH);
      context.fillStyle = CHART_COLORS[picture.mode].text;
      context.fillText(name, x + 16, y);
    }
    x += width;
  }
  return y - top + 24;
}

/** `text` broken into lines that fit; a word that is too long stands alone. */
function lines(context: Context, text: string, room: number): string[] {
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
