// What the allocator told while recording: over time, at the peak, and step by step.

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { exactSize, size } from "../../amounts";
import type { DeviceMemory, Measured as Told } from "../../api/memory";
import { download, downloadCsv, fileName } from "../../browser";
import { Segmented } from "../../components/controls";
import { Empty } from "../../components/notices";
import { RunChoice, SaveButtons } from "../../components/panel";
import { Canvas, type Context, useWidth } from "../../drawing/Canvas";
import { PICTURE_ROOM, pictureOf } from "../../drawing/picture";
import { count, duration } from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import type { Mode } from "../../theme/mode";
import { columnAt, drawArea, fillOf, hasReserved, layoutOf, stacked } from "./area";
import { timeCsv } from "./export";
import { AtPeak, Blocks, Steps } from "./MeasuredTables";
import { type Remembered, sentence } from "./words";

const HEIGHT = 300;
const CAPTION =
  "What is alive, by the category of the op around its allocation; the highest moment of each " +
  "stretch is drawn. From the allocator's events in the trace.";

export function MeasuredPanel(props: {
  run: Remembered;
  runs: readonly Remembered[];
  state: State;
  store: Store;
  mode: Mode;
}) {
  const { run, runs, state, store, mode } = props;
  const { measured } = run.data;
  const device =
    measured.devices.find((each) => each.device === state.of.memory_device) ?? measured.devices[0];
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Allocated while recording</h2>
        {runs.length > 1 && (
          <RunChoice
            word="in"
            runs={runs}
            shown={run.id}
            onShow={(shown) => store.write({ shown }, "push")}
          />
        )}
        {measured.devices.length > 1 && device && (
          <Segmented
            label="Device"
            choices={measured.devices.map((each) => ({
              id: each.device,
              title: each.device,
              hint: each.name,
            }))}
            value={device.device}
            onChange={(memory_device) =>
              store.write({ of: { ...state.of, memory_device } }, "push")
            }
          />
        )}
        <span class="space" />
        {device && <Save device={device} label={run.label} mode={mode} />}
      </div>
      {device ? <Device device={device} mode={mode} /> : <NotRecorded measured={measured} />}
    </section>
  );
}

function NotRecorded({ measured }: { measured: Told }) {
  return (
    <Empty title="Allocations were not recorded">
      <p>
        {measured.reason !== null && `${sentence(measured.reason)} `}With{" "}
        <code>genscope.collect.Collector(…, profile_memory=True)</code>, or with{" "}
        <code>profile_memory=True</code> of torch's profiler, the trace tells the peak and what it
        is made of, step by step.
      </p>
    </Empty>
  );
}

function Save({ device, label, mode }: { device: DeviceMemory; label: string; mode: Mode }) {
  const file = fileName("allocated", label, device.device);
  async function savePicture(): Promise<void> {
    const input = { device, mode, width: PICTURE_ROOM, height: HEIGHT };
    const picture = await pictureOf({
      title: `Memory of ${device.device} in ${label}: peak ${size(device.peak_bytes)}`,
      caption: `From the bottom: ${stacked(device.series).join(", ")}. ${CAPTION}`,
      mode,
      names: [],
      hasUnlinked: false,
      parts: [{ text: "", height: HEIGHT, draw: (context) => drawArea(context, input) }],
    });
    download(`${file}.png`, picture);
  }
  return (
    <SaveButtons
      csvHint="Bytes over time by category, exact"
      onCsv={() => downloadCsv(`${file}.csv`, timeCsv(device.series))}
      onPng={savePicture}
    />
  );
}

function Device({ device, mode }: { device: DeviceMemory; mode: Mode }) {
  return (
    <>
      <p class="measured-words">
        The peak is <b title={exactSize(device.peak_bytes)}>{size(device.peak_bytes)}</b>
        {device.capacity_bytes !== null && <> of the device's {size(device.capacity_bytes)}</>}
        {device.peak_step !== null && <>, in {device.peak_step}</>}, at {duration(device.peak_ns)}
        {device.reserved_peak_bytes !== null && (
          <>
            ; the allocator held{" "}
            <span title={exactSize(device.reserved_peak_bytes)}>
              {size(device.reserved_peak_bytes)}
            </span>{" "}
            at most{hasReserved(device) && " (dashed)"}
          </>
        )}
        . {count(device.allocations)} allocations of{" "}
        <span title={exactSize(device.allocated_bytes)}>{size(device.allocated_bytes)}</span> in
        all, {count(device.frees)} frees.
        {!device.whole && " What was allocated before the recording is not in these figures."}
      </p>
      <figure class="strips">
        <Area device={device} mode={mode} />
        <ul class="legend" aria-label="Colours">
          {stacked(device.series).map((name) => (
            <li key={name}>
              <i class="swatch" style={{ background: fillOf(name, mode) }} />
              {name}
            </li>
          ))}
        </ul>
        <figcaption>{CAPTION}</figcaption>
      </figure>
      <div class="memory-tables">
        <AtPeak device={device} mode={mode} />
        <Steps device={device} mode={mode} />
        <Blocks device={device} mode={mode} />
      </div>
    </>
  );
}

const TIP_WIDTH = 260;

function Area({ device, mode }: { device: DeviceMemory; mode: Mode }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState(-1);
  const input = useMemo(() => ({ device, mode, width, height: HEIGHT }), [device, mode, width]);
  const layout = useMemo(() => layoutOf(input), [input]);
  const draw = useCallback((context: Context) => drawArea(context, input), [input]);
  const { series } = device;
  const last = series.at_ns.length - 1;
  const ns = series.at_ns[pointed];
  const bytes = series.allocated_bytes[pointed] ?? 0;
  const rows = stacked(series)
    .map((name) => [name, series.categories[name]?.[pointed] ?? 0] as const)
    .filter(([, value]) => value > 0)
    .reverse();

  function onKeyDown(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const by = event.shiftKey ? Math.ceil(last / 20) : 1;
    const keys: Record<string, () => void> = {
      ArrowRight: () => setPointed(Math.min(last, pointed + by)),
      ArrowLeft: () => setPointed(Math.max(0, (pointed < 0 ? last + 1 : pointed) - by)),
      Escape: () => setPointed(-1),
    };
    const act = keys[event.key];
    if (act === undefined || last < 0) return;
    event.preventDefault();
    act();
  }

  const x = ns === undefined ? 0 : layout.xOf(ns);
  const left = x + 14 + TIP_WIDTH > width ? x - TIP_WIDTH - 14 : x + 14;
  return (
    <div
      ref={box}
      class="plot-box"
      role="slider"
      aria-label="Memory over time: arrow keys go through its changes, faster with Shift"
      aria-valuemin={0}
      aria-valuemax={Math.max(1, last)}
      aria-valuenow={Math.max(0, pointed)}
      aria-valuetext={ns === undefined ? "no time" : `${size(bytes)} at ${duration(ns)}`}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPointed(-1)}
      onPointerMove={(event) => {
        const { left: edge } = event.currentTarget.getBoundingClientRect();
        setPointed(columnAt(series, layout, event.clientX - edge));
      }}
      onPointerLeave={() => setPointed(-1)}
    >
      <Canvas width={width} height={HEIGHT} draw={draw} />
      {ns !== undefined && (
        <>
          <i
            class="cursor time"
            style={{
              left: `${x}px`,
              top: `${layout.top}px`,
              height: `${layout.bottom - layout.top}px`,
            }}
          />
          <div
            class="tip"
            role="tooltip"
            style={{ left: `${Math.max(0, left)}px`, top: "30px", width: `${TIP_WIDTH}px` }}
          >
            <b>{size(bytes)}</b>
            <span class="of">at {duration(ns)}</span>
            <dl>
              {rows.map(([name, value]) => (
                <div key={name}>
                  <dt>
                    <i class="swatch" style={{ background: fillOf(name, mode) }} />
                    {name}
                  </dt>
                  <dd>{size(value)}</dd>
                </div>
              ))}
            </dl>
          </div>
        </>
      )}
    </div>
  );
}
