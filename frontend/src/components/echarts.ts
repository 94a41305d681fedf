// The parts of ECharts that the pages draw with, so that the bundle holds no others.

import { BarChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, GridComponent, LegendComponent, TitleComponent, CanvasRenderer]);

export type { EChartsCoreOption };
export { init };

/** Draws `option` out of sight and gives it as a PNG at twice the size. */
export function picture(option: EChartsCoreOption, width: number, height: number): Promise<Blob> {
  const box = document.createElement("div");
  box.style.cssText = `position:fixed;left:-10000px;width:${width}px;height:${height}px`;
  document.body.append(box);
  const chart = init(box, null, { renderer: "canvas", devicePixelRatio: 2 });
  chart.setOption(option);
  const canvas = chart.renderToCanvas({ pixelRatio: 2 });
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      chart.dispose();
      box.remove();
      if (blob) resolve(blob);
      else reject(new Error("The picture could not be drawn."));
    }, "image/png");
  });
}
