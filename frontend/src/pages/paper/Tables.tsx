// Tables I and III: measured beside what the paper prints, which stands apart.

import type { ModelTaxonomy, Paper, SettingPanels } from "../../api/paper";
import type { Cell } from "../../csv";
import { count, metric } from "../../format";
import { titleOf } from "../../theme/kinds";
import { Stated } from "./Claims";
import { titleOfModel } from "./words";

/** Most channels of an image or a latent. */
const COLORS = 16;

function mainOf(model: ModelTaxonomy) {
  return model.components.find((part) => part.name === model.main);
}

/** Widths of a transformer, or of a UNet's levels. */
function widthsOf(model: ModelTaxonomy): number[] {
  const main = mainOf(model);
  if (main === undefined) return [];
  return main.name === "unet" ? main.channels.filter((width) => width > COLORS) : main.widths;
}

export function Taxonomy({ paper }: { paper: Paper }) {
  if (paper.taxonomy.length === 0) {
    return (
      <p class="hint">
        The models were not measured. <code>genscope suite report</code> builds them without memory
        and keeps what they are in <code>taxonomy.json</code> beside the runs.
      </p>
    );
  }
  return (
    <div class="claims-box">
      <table class="claims taxonomy">
        <thead>
          <tr>
            {[
              ...["model", "parameters of", "", "in all", "layers", "widths", "attention at sides"],
              ...["steps", "image", "frames", "paper"],
            ].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {paper.taxonomy.map((model) => (
            <tr key={model.model} class="first">
              <td>{titleOfModel(paper, model.model)}</td>
              <td>{model.main}</td>
              <td class="number" title={count(mainOf(model)?.parameters ?? 0)}>
                {billions(mainOf(model)?.parameters ?? 0)}
              </td>
              <td class="number" title={count(model.parameters)}>
                {billions(model.parameters)}
              </td>
              <td class="number">{mainOf(model)?.layers ?? "–"}</td>
              <td>{widthsOf(model).join(", ") || "–"}</td>
              <td>{model.attention_sides.join(", ") || "–"}</td>
              <td class="number">{model.steps ?? "–"}</td>
              <td class="number">{model.image_size ?? "–"}</td>
              <td class="number">{model.frames ?? "–"}</td>
              <td>
                <Stated text={printed(paper, model.model)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** As parameters are counted, and the paper writes them. */
function billions(value: number): string {
  return metric(value).replace(" G", " B");
}

function printed(paper: Paper, name: string): string {
  const found = paper.figures.cited.taxonomy.find((model) => model.model === name);
  if (found === undefined) return "–";
  return [
    found.parameters_b === null ? "" : `${found.parameters_b} B`,
    found.layers === null ? "" : `${found.layers} layers`,
    found.width === null ? "" : `width ${found.width}`,
    found.resolutions === null ? "" : `attention at ${found.resolutions}`,
  ]
    .filter((words) => words !== "")
    .join(", ");
}

export function taxonomyCells(paper: Paper): { header: string[]; rows: Cell[][] } {
  return {
    header: [
      ...["model", "scale", "component", "parameters", "parameters_in_all", "layers", "widths"],
      ...["attention_sides", "steps", "image_size", "frames", "paper_parameters_b"],
    ],
    rows: paper.taxonomy.map((model) => [
      ...[model.model, model.scale, model.main, mainOf(model)?.parameters ?? null],
      ...[model.parameters, mainOf(model)?.layers ?? null, widthsOf(model).join(" ")],
      ...[model.attention_sides.join(" "), model.steps, model.image_size, model.frames],
      paper.figures.cited.taxonomy.find((each) => each.model === model.model)?.parameters_b ?? null,
    ]),
  };
}

export function Phases(props: { paper: Paper; measured: SettingPanels }) {
  const { paper, measured } = props;
  const { cells } = measured.phases;
  if (cells.length === 0) return null;
  return (
    <div class="claims-box">
      <table class="claims phases">
        <thead>
          <tr>
            <th scope="col">model</th>
            <th scope="col">component</th>
            <th scope="col">calls by phase</th>
            <th scope="col">paper</th>
          </tr>
        </thead>
        <tbody>
          {cells.map((cell) => (
            <tr key={cell.model} class="first">
              <td>{titleOfModel(paper, cell.model)}</td>
              <td>{cell.component ?? "–"}</td>
              <td>
                {Object.entries(cell.phases)
                  .map(([name, calls]) => `${titleOf(name)} ${count(calls)}`)
                  .join(", ") || "–"}
              </td>
              <td>
                <Stated
                  text={paper.figures.cited.phases[cell.model]?.replaceAll("_", " ") ?? "–"}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function phaseCells({ phases }: SettingPanels): { header: string[]; rows: Cell[][] } {
  return {
    header: ["model", "run", "component", "phase", "calls"],
    rows: phases.cells.flatMap((cell) =>
      Object.entries(cell.phases).map(([phase, calls]) => [
        ...[cell.model, cell.run, cell.component, phase, calls],
      ]),
    ),
  };
}
