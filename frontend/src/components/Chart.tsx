// A canvas that ECharts draws on: its size, its option, and what the pointer is on.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type EChartsCoreOption, init } from "./echarts";

/** A drawn item: the name of its series and its place in it. */
export interface Item {
  series: string;
  index: number;
}

/** An item under the pointer, in pixels of the chart. */
export interface Pointed extends Item {
  x: number;
  y: number;
}

interface Props {
  /** What a person who does not see the chart is told. */
  label: string;
  height: number;
  optionOf: (width: number) => EChartsCoreOption;
  onPoint: (pointed: Pointed | null) => void;
  onPick: (item: Item) => void;
}

interface ChartEvent {
  seriesName: string;
  dataIndex: number;
  event: { offsetX: number; offsetY: number };
}

export function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ReturnType<typeof init> | null>(null);
  const [width, setWidth] = useState(0);
  const handlers = useRef(props);
  handlers.current = props;

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    // A hidden tab has no width: what was drawn stays until there is one.
    const measure = () => element.clientWidth > 0 && setWidth(element.clientWidth);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => {
      observer.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  const { height, optionOf } = props;
  useEffect(() => {
    const element = box.current;
    if (element === null || width === 0) return;
    if (chart.current === null) {
      const made = init(element, null, { renderer: "canvas" });
      const item = (event: ChartEvent) => ({ series: event.seriesName, index: event.dataIndex });
      made.on("mousemove", (event: unknown) => {
        const at = event as ChartEvent;
        handlers.current.onPoint({ ...item(at), x: at.event.offsetX, y: at.event.offsetY });
      });
      made.on("mouseout", () => handlers.current.onPoint(null));
      made.on("click", (event: unknown) => handlers.current.onPick(item(event as ChartEvent)));
      chart.current = made;
    }
    chart.current.resize({ width, height });
    chart.current.setOption(optionOf(width), { notMerge: true });
  }, [width, height, optionOf]);

  return (
    <div
      ref={box}
      class="chart"
      role="img"
      aria-label={props.label}
      style={{ height: `${height}px` }}
    />
  );
}
