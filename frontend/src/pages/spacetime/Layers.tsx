// Attention along each axis, layer by layer, of one run.

import { useMemo } from "preact/hooks";
import type { AxisLayer } from "../../api/spacetime";
import { downloadCsv, fileName } from "../../browser";
import { RunChoice, SaveButtons } from "../../components/panel";
import { count, exactDuration, inUnit, shortenMiddle, timeUnit } from "../../format";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import { type WindowColumn, WindowTable } from "../../table/WindowTable";
import { windowOf } from "../../table/windows";
import { axisColor, titleOf } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import { layersCsv } from "./export";
import { flops, type Spaced } from "./words";

type Placed = AxisLayer & { place: number };

/** The module's name after its component's, both of its ends kept. */
function within({ component, module }: AxisLayer): string {
  const name = module ?? "";
  const inner = component !== null && name.startsWith(`${component}/`);
  const room = window.innerWidth >= 1700 ? 110 : 42;
  return shortenMiddle(inner ? name.slice(component.length + 1) : name, room);
}

function columnsOf(layers: readonly AxisLayer[], mode: Mode): WindowColumn<Placed>[] {
  // By the mean: one slow layer would leave the others without digits.
  const unit = timeUnit([
    layers.reduce((sum, { time_ns }) => sum + time_ns, 0) / Math.max(1, layers.length),
  ]);
  const text = (
    id: "component" | "module",
    width: number,
    hint: string,
    say: (layer: AxisLayer) => string,
  ): WindowColumn<Placed> => ({
    id,
    title: id,
    hint,
    width,
    grows: true,
    isNumber: false,
    show: (layer) => (layer[id] === null ? "–" : say(layer)),
    exact: (layer) => layer[id] ?? "",
  });
  const number = (
    id: "layer" | "calls" | "q_len" | "batch",
    title: string,
    hint: string,
  ): WindowColumn<Placed> => ({
    id,
    title,
    hint,
    width: 76,
    isNumber: true,
    show: (layer) => (layer[id] === null ? "–" : count(layer[id])),
    exact: (layer) => (layer[id] === null ? "" : String(layer[id])),
  });
  return [
    text("component", 130, "Independently trained part of the pipeline", ({ component }) =>
      shortenMiddle(component ?? "", 40),
    ),
    text("module", 270, "Name within the component; – where modules were not recorded", within),
    number("layer", "layer", "Its number in the model"),
    {
      id: "axis",
      title: "axis",
      hint: "What attention goes along",
      width: 124,
      isNumber: false,
      show: (layer) => (
        <>
          <i class="swatch" style={{ background: axisColor(layer.axis, mode) }} />
          {titleOf(layer.axis)}
        </>
      ),
      exact: (layer) => layer.axis,
    },
    number("calls", "calls", "Attention calls"),
    {
      id: "time_ns",
      title: `time ${unit.name}`,
      hint: "Added over the calls",
      width: 84,
      isNumber: true,
      show: (layer) => inUnit(layer.time_ns, unit),
      exact: (layer) => exactDuration(layer.time_ns),
    },
    {
      id: "flops",
      title: "FLOPs",
      hint: "Of the two products of attention, added over the calls",
      width: 100,
      isNumber: true,
      show: (layer) => flops(layer.flops),
      exact: (layer) => `${count(layer.flops)} FLOP`,
    },
    number("q_len", "q length", "Query length"),
    number("batch", "batch", "Sequences at once"),
  ];
}

export function Layers(props: { runs: readonly Spaced[]; state: State; store: Store; mode: Mode }) {
  const { runs, state, store, mode } = props;
  const run = runs.find((each) => each.id === state.shown) ?? runs[0];
  const layers = useMemo(
    () => (run?.data.layers ?? []).map((layer, place): Placed => ({ ...layer, place })),
    [run],
  );
  const columns = useMemo(() => columnsOf(layers, mode), [layers, mode]);
  if (run === undefined) return null;
  const { sort } = state;
  const marked = Number.parseInt(state.of.spacetime_layer ?? "", 10);
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Layers</h2>
        {runs.length > 1 && (
          <RunChoice
            word="of"
            runs={runs}
            shown={run.id}
            onShow={(shown) => store.write({ shown }, "push")}
          />
        )}
        <span class="soft">{count(layers.length)}, by query length</span>
        <span class="space" />
        <SaveButtons
          csvHint="A line for each layer, exact"
          onCsv={() => downloadCsv(`${fileName("layers", run.label)}.csv`, layersCsv(layers))}
        />
      </div>
      <WindowTable
        label="Layers"
        columns={columns}
        listKey={JSON.stringify([run.id, layers.length, run.data.selection, sort])}
        load={async (ask) =>
          windowOf(
            layers,
            ask,
            sort && {
              valueOf: (layer) => layer[sort.column as keyof AxisLayer] ?? null,
              descending: sort.descending,
            },
            (layer) => layer.place,
          )
        }
        keyOf={(layer) => layer.place}
        sort={sort}
        onSort={(next) => store.write({ sort: next }, "replace")}
        marked={Number.isNaN(marked) ? null : marked}
        onMark={(layer) =>
          store.write({ of: { ...state.of, spacetime_layer: String(layer.place) } }, "replace")
        }
        nothing="No layer has attention whose shapes are known."
      />
    </section>
  );
}
