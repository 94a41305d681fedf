// The tables below the chart: one run, by operator, pass, component or module.

import { useMemo, useRef } from "preact/hooks";
import type { Comparison, Operators, Row } from "../../api/types";
import { downloadCsv, fileName } from "../../browser";
import { Segmented } from "../../components/controls";
import { RunChoice, TreeControls, treeState } from "../../components/panel";
import { type Column, TreeTable } from "../../components/TreeTable";
import type { Store } from "../../state/location";
import type { State } from "../../state/url";
import { type Node, openableKeys, toNodes, treeByPath } from "../../table/model";
import { hasPaint, paintOf } from "../../theme/colors";
import { asRow, moduleColumns, passColumns, rowColumns } from "./columns";
import { differenceColumns, differenceNodes, differencesCsv, type Pair } from "./differences";
import { modulesCsv, operatorsCsv, passesCsv } from "./export";
import { facts } from "./words";

/** A table of the page, with everything that depends on the type of its rows inside. */
interface Table {
  nameTitle: string;
  nodes: readonly Node<unknown>[];
  columns: readonly Column<unknown>[];
  swatchOf?: (row: unknown, depth: number) => string | null;
  csv: () => string;
  /** What would fill it, shown when it is empty. */
  filledBy: string;
}

interface Kind {
  id: string;
  title: string;
  hint: string;
  make: (operators: Operators, against: Against | null) => Table;
  /** It sets the run beside the base, so it is there for the other runs only. */
  isOfTwo?: boolean;
}

/** What a run is set beside: the base, and their place in the comparison. */
export interface Against {
  base: Operators;
  comparison: Comparison;
  index: number;
}

function table<T>(
  made: Omit<Table, "nodes" | "columns" | "swatchOf"> & {
    nodes: readonly Node<T>[];
    columns: readonly Column<T>[];
    swatchOf?: (row: T, depth: number) => string | null;
  },
): Table {
  return made as unknown as Table;
}

function rowNodes(rows: readonly Row[]): Node<Row>[] {
  return toNodes(
    rows,
    (row) => row.name,
    (row) => rowNodes(row.children),
  );
}

/** The table that sets a run beside the base. */
export const DIFFERENCES = "differences";

const KINDS: readonly Kind[] = [
  {
    id: "operators",
    title: "Operators",
    hint: "Category, operator, kernel",
    make: (operators) =>
      table<Row>({
        nameTitle: "category, operator, kernel",
        nodes: rowNodes(operators.categories.map(asRow)),
        columns: rowColumns(operators.categories, operators.basis === "device"),
        swatchOf: (row) =>
          row.level === "category" && hasPaint(row.name) ? paintOf(row.name).fill : null,
        csv: () => operatorsCsv(operators),
        filledBy: "The trace holds no operator and no kernel.",
      }),
  },
  {
    id: DIFFERENCES,
    title: "Against base",
    hint: "Category, operator, kernel: the run beside the base",
    isOfTwo: true,
    make: (operators, against) =>
      table<Pair>({
        nameTitle: "category, operator, kernel",
        nodes: against ? differenceNodes(operators, against) : [],
        columns: against ? differenceColumns(operators, against) : [],
        swatchOf: (row) =>
          row.level === "category" && hasPaint(row.name) ? paintOf(row.name).fill : null,
        csv: () => (against ? differencesCsv(operators, against) : ""),
        filledBy: "Neither run holds an operator.",
      }),
  },
  {
    id: "passes",
    title: "Passes",
    hint: "Forward, backward, recompute, optimizer",
    make: (operators) =>
      table({
        nameTitle: "pass",
        nodes: toNodes(
          operators.passes,
          (row) => row.pass,
          () => [],
        ),
        columns: passColumns(operators.passes, operators.basis === "device"),
        csv: () => passesCsv(operators.passes),
        filledBy: "The trace holds no operator.",
      }),
  },
  {
    id: "components",
    title: "Components",
    hint: "Independently trained parts: text encoder, UNet, VAE",
    make: (operators) =>
      table({
        nameTitle: "component",
        nodes: treeByPath(operators.components),
        columns: moduleColumns(operators.components, operators.basis === "device"),
        csv: () => modulesCsv(operators.components),
        filledBy:
          "Nothing in this trace names a component. Record with with_stack=True, or wrap each " +
          'part of the pipeline in torch.profiler.record_function("unet").',
      }),
  },
  {
    id: "modules",
    title: "Modules",
    hint: "The tree of nn.Modules",
    make: (operators) =>
      table({
        nameTitle: "module",
        nodes: treeByPath(operators.modules),
        columns: moduleColumns(operators.modules, operators.basis === "device"),
        csv: () => modulesCsv(operators.modules),
        filledBy:
          "This trace has no nn.Module frames. Record with with_stack=True; under torch.compile " +
          "and in CUDA graphs PyTorch writes none.",
      }),
  },
];

export function Tables(props: {
  operators: Operators;
  /** The runs that can be shown, by id. */
  runs: readonly { id: string; label: string }[];
  shown: string;
  /** Null while the base is shown. */
  against: Against | null;
  state: State;
  store: Store;
}) {
  const { operators, against, state, store } = props;
  const box = useRef<HTMLElement>(null);
  const kinds = KINDS.filter((kind) => !kind.isOfTwo || props.runs.length > 1);
  const kind = kinds.find((each) => each.id === state.table) ?? (KINDS[0] as Kind);
  const made = useMemo(() => kind.make(operators, against), [kind, operators, against]);
  const runs = kind.isOfTwo ? props.runs.slice(1) : props.runs;
  const openable = useMemo(() => openableKeys(made.nodes), [made]);

  return (
    <section class="panel tables" ref={box}>
      <div class="panel-head">
        <Segmented
          label="Table"
          choices={kinds}
          value={kind.id}
          onChange={(id) => store.write({ table: id, open: [] }, "push")}
        />
        {props.runs.length > 1 && (
          <RunChoice
            word="of"
            runs={runs}
            shown={props.shown}
            onShow={(id) => store.write({ shown: id }, "push")}
          />
        )}
        <TreeControls
          state={state}
          store={store}
          box={box}
          openable={openable}
          csvHint="All rows of this table, with exact figures"
          onCsv={() => downloadCsv(`${fileName(operators.trace, kind.id)}.csv`, made.csv())}
        />
      </div>
      <p class="facts">
        {facts(operators).map((fact) => (
          <span key={fact.name} title={fact.hint}>
            {fact.name} <b>{fact.value}</b>
          </span>
        ))}
        <span title="The file below the logdir">
          from <b>{props.shown}</b>
        </span>
      </p>
      {made.nodes.length === 0 ? (
        <p class="hint">{made.filledBy}</p>
      ) : (
        <TreeTable
          label={kind.title}
          nameTitle={made.nameTitle}
          nodes={made.nodes}
          columns={made.columns}
          {...(made.swatchOf ? { swatchOf: made.swatchOf } : {})}
          {...treeState(state, store)}
          nothing="No row has these words in its name. Esc clears the search."
        />
      )}
    </section>
  );
}
