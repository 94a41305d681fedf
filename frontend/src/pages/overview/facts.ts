// What was run, as the annotations of a trace tell it: a line a fact, beside those of other runs.

import type { ComponentInfo, Overview, Workload } from "../../api/types";
import { toCsv } from "../../csv";
import { bytes, count, metric } from "../../format";
import type { Summed } from "./summed";

/** What a run says of one fact: as it is shown, and exactly. */
export interface Said {
  text: string;
  exact: string;
}

/** A line of the table; a run that does not say has null. */
export interface Fact {
  name: string;
  hint: string;
  values: (Said | null)[];
}

function said(value: string | number | null | undefined): Said | null {
  if (value === null || value === undefined || value === "") return null;
  return typeof value === "number"
    ? { text: count(value), exact: String(value) }
    : { text: value, exact: value };
}

type Known = readonly [name: string, hint: string, of: (overview: Overview) => Said | null];

function workload(
  of: (workload: Workload) => string | number | null,
): (o: Overview) => Said | null {
  return ({ workload }) => workload && said(of(workload));
}

const KNOWN: readonly Known[] = [
  ["model", "What was run", workload((of) => of.model)],
  ["attention", "The implementation that was asked for", workload((of) => of.attention)],
  ["dtype", "The type of the numbers", workload((of) => of.dtype)],
  ["device", "Where it was run, as the script says", workload((of) => of.device)],
  ["image", "Height × width", workload((of) => of.image_size && `${of.image_size.join(" × ")} px`)],
  ["frames", "Frames of the video", workload((of) => of.frames)],
  ["batch", "Samples at a time", workload((of) => of.batch)],
  [
    "prompt",
    "Its length",
    workload((of) => of.prompt_length && `${count(of.prompt_length)} tokens`),
  ],
  ["steps", "Steps of the whole run, recorded or not", workload((of) => of.steps)],
  [
    "mode",
    "Whether it was trained",
    workload((of) => (of.training === null ? null : of.training ? "training" : "inference")),
  ],
  [
    "peak memory",
    "Highest memory allocated on the device while recording",
    ({ peak_memory_bytes: peak }) =>
      peak === null ? null : { text: bytes(peak), exact: `${count(peak)} B` },
  ],
];

/** The facts that any of `runs` tells, in a fixed order. */
export function factsOf(runs: readonly Summed[]): Fact[] {
  const all = runs.map((run) => run.overview);
  const named = (names: readonly string[]) => [...new Set(names)];
  const known = KNOWN.map(([name, hint, of]) => ({ name, hint, values: all.map(of) }));
  const extra = named(all.flatMap(({ workload }) => Object.keys(workload?.extra ?? {}))).map(
    (name) => ({
      name,
      hint: "As the script says",
      values: all.map(({ workload }) => {
        const value = workload?.extra[name];
        return said(typeof value === "boolean" ? String(value) : value);
      }),
    }),
  );
  const components = named(all.flatMap((each) => each.components.map(({ name }) => name))).map(
    (name) => ({
      name,
      hint: "A component: its class, parameters and their size, type, and its calls in the trace",
      values: all.map((each) => {
        const found = each.components.find((component) => component.name === name);
        return found ? componentSaid(found) : null;
      }),
    }),
  );
  const recorded = {
    name: "recorded with",
    hint: "Versions of the libraries",
    values: all.map(({ libraries }) =>
      said(
        Object.entries(libraries)
          .map((each) => each.join(" "))
          .join(", "),
      ),
    ),
  };
  const note = {
    name: "note",
    hint: "What the recorder says",
    values: all.map(({ notes }) => said(notes.join(" "))),
  };
  return [...known, ...extra, ...components, recorded, note].filter((fact) =>
    fact.values.some((value) => value !== null),
  );
}

function componentSaid(component: ComponentInfo): Said {
  const { class_name, parameters, parameter_bytes, dtype, device, calls } = component;
  const parts = (number: (value: number) => string, size: (value: number) => string) => [
    class_name,
    parameters === null ? null : `${number(parameters)} parameters`,
    parameter_bytes === null ? null : size(parameter_bytes),
    dtype,
    device,
    calls === 1 ? "1 call" : `${count(calls)} calls`,
  ];
  const join = (values: (string | null)[]) => values.filter(Boolean).join(", ");
  return {
    text: join(parts(metric, bytes)),
    exact: join(parts(count, (value) => `${count(value)} B`)),
  };
}

/** A line a fact, a column a run. */
export function factsCsv(runs: readonly Summed[]): string {
  return toCsv(
    ["fact", ...runs.map((run) => run.label)],
    factsOf(runs).map(({ name, values }) => [name, ...values.map((value) => value?.exact ?? null)]),
  );
}
