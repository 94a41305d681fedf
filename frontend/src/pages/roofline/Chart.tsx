// The roofline: a mark is pointed at by the pointer, or gone to with arrow keys, most time first.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import {
  bytes,
  count,
  duration,
  exactDuration,
  flopCount,
  flopRate,
  percent,
  threeDigits,
} from "../../format";
import { CHART_HEIGHT, type ChartInput, drawChart, layoutOf, placedAt } from "./chart";
import type { Across, Point } from "./points";
import { nameOf } from "./words";

const TIP_WIDTH = 330;
const RING = 3;

type Props = Omit<ChartInput, "width"> & {
  label: string;
  marked: Point | null;
  onPick: (point: Point | null) => void;
};

export function Chart(props: Props) {
  const { points, runs, level, across, mode, marked, onPick } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<Point | null>(null);
  const input = useMemo(
    () => ({ points, runs, level, across, mode, width }),
    [points, runs, level, across, mode, width],
  );
  const layout = useMemo(() => layoutOf(input), [input]);
  const draw = useCallback((context: Context) => drawChart(context, input), [input]);
  const { placed } = layout;
  const at = placed.findIndex((each) => each.point === pointed);
  const shown = placed[at];
  const ringed = placed.find((each) => each.point === marked);

  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const last = placed.length - 1;
    const go = (to: number) => setPointed(placed[Math.min(last, Math.max(0, to))]?.point ?? null);
    const keys: Record<string, () => void> = {
      ArrowRight: () => go(at + 1),
      ArrowLeft: () => go(at < 0 ? last : at - 1),
      Home: () => go(0),
      End: () => go(last),
      Enter: () => onPick(pointed),
      Escape: () => (pointed === null ? onPick(null) : setPointed(null)),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  const near = (event: PointerEvent | MouseEvent) => {
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return placedAt(placed, event.clientX - left, event.clientY - top)?.point ?? null;
  };

  return (
    <div
      ref={box}
      class={`plot-box ${shown ? "pointing" : ""}`}
      role="slider"
      aria-label={`${props.label} Arrow keys go through the marks, most time first; Enter marks the row.`}
      aria-valuemin={1}
      aria-valuemax={Math.max(1, placed.length)}
      aria-valuenow={at + 1 || 1}
      aria-valuetext={
        shown ? `${shown.point.row.name}: ${flopRate(shown.point.row.flops_per_s)}` : "no mark"
      }
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(null)}
      onPointerMove={(event) => setPointed(near(event))}
      onPointerLeave={() => setPointed(null)}
      onClick={(event) => onPick(near(event))}
    >
      <Canvas width={width} height={CHART_HEIGHT} draw={draw} />
      {ringed && <Ring {...ringed} />}
      {shown && (
        <>
          <Ring {...shown} />
          <div
            class="tip"
            role="tooltip"
            style={{
              left: `${Math.max(0, Math.min(shown.x + 14, width - TIP_WIDTH))}px`,
              top: `${shown.y + shown.radius + 8}px`,
              width: `${TIP_WIDTH}px`,
            }}
          >
            <Tip point={shown.point} across={across} isSeveral={runs.length > 1} />
          </div>
        </>
      )}
    </div>
  );
}

function Ring({ x, y, radius }: { x: number; y: number; radius: number }) {
  const reach = radius * 1.25 + RING;
  return (
    <i
      class="bubble-cursor"
      style={{
        left: `${x - reach}px`,
        top: `${y - reach}px`,
        width: `${2 * reach}px`,
        height: `${2 * reach}px`,
      }}
    />
  );
}

function Tip(props: { point: Point; across: Across; isSeveral: boolean }) {
  const { run, row, capacity } = props.point;
  const words = [props.isSeveral ? run.label : "", row.category, row.dtype, row.shapes];
  const lines: [string, string, string][] = [
    ["time", duration(row.time_ns), exactDuration(row.time_ns)],
    ["calls", count(row.calls), ""],
    ["FLOPs", flopCount(row.flops), ""],
    ["bytes moved", bytes(row.moved_bytes), ""],
    ["reached", flopRate(row.flops_per_s), row.bytes_per_s ? `${bytes(row.bytes_per_s)}/s` : ""],
    ["FLOPs a byte moved", row.intensity === null ? "–" : threeDigits(row.intensity), ""],
  ];
  if (props.across === "capacity" && capacity !== null) {
    lines.push([
      "FLOPs a byte of parameters",
      threeDigits(capacity.intensity),
      `${threeDigits(capacity.intensity_per_call)} for each of ${count(capacity.calls)} calls`,
    ]);
  }
  if (row.efficiency !== null && row.saving_ns !== null) {
    lines.push(
      ["of its roof", `${percent(row.efficiency)} %`, ""],
      ["above its roof", duration(row.saving_ns), exactDuration(row.saving_ns)],
    );
  }
  if (row.bound !== null) lines.push(["bound by", row.bound, ""]);
  return (
    <>
      <b>{nameOf(row, 60)}</b>
      <span class="of">{words.filter(Boolean).join(", ")}</span>
      <dl>
        {lines.map(([name, value, exact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
            <dd class="exact">{exact}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
