// What the lines of a chart of power laws stand for, drawn into a picture.

import { CHART_COLORS, type Mode } from "../theme/mode";
import { type Context, FONT } from "./Canvas";
import type { Part } from "./picture";
import type { LawSeries } from "./powerlaws";
import { spriteOf } from "./sprite";

const WIDTH = 270;
const ROW = 18;
const SAMPLE = 30;

export function keysOf(series: readonly LawSeries[], mode: Mode, room: number): Part {
  const columns = Math.max(1, Math.floor(room / WIDTH));
  return {
    text: "",
    height: Math.ceil(series.length / columns) * ROW,
    draw: (context) => {
      series.forEach((each, at) => {
        const [x, y] = [(at % columns) * WIDTH, Math.floor(at / columns) * ROW + ROW / 2];
        drawKey(context, each, mode, x, y);
      });
    },
  };
}

function drawKey(context: Context, series: LawSeries, mode: Mode, x: number, y: number): void {
  const { color, shape, inside } = series;
  context.strokeStyle = color;
  context.lineWidth = 1.8;
  context.setLineDash(series.isDashed ? [6, 4] : []);
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + SAMPLE, y);
  context.stroke();
  context.setLineDash([]);
  const mark = spriteOf({ color, shape, inside, radius: 4.2, mode });
  const left = x + SAMPLE / 2 - mark.size / 2;
  context.drawImage(mark.canvas, left, y - mark.size / 2, mark.size, mark.size);
  context.font = `12px ${FONT}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillStyle = CHART_COLORS[mode].text;
  const powers = series.laws.map(({ exponent }) => exponent.toFixed(2)).join(", then ");
  const exponent = powers === "" ? "" : `, power ${powers}`;
  context.fillText(`${series.name}${exponent}`, x + SAMPLE + 8, y);
}
