// The figures, each with its caption, what the paper claims of it, and what would fill it.

import { useMemo } from "preact/hooks";
import type { About, ClaimRow, Outcome, Paper, Recording, SettingPanels } from "../../api/paper";
import { download, downloadCsv, fileName } from "../../browser";
import { SaveButtons } from "../../components/panel";
import { toCsv } from "../../csv";
import { MarkIcon } from "../../drawing/Mark";
import type { Mode } from "../../theme/mode";
import { Badge, Stated } from "./Claims";
import { FIGURES } from "./figures";
import { Multiples } from "./Multiples";
import type { Entry } from "./model";
import { pictureOfFigure } from "./picture";
import { Phases, phaseCells, Taxonomy, taxonomyCells } from "./Tables";
import { measuredText, statedOf, statedText } from "./words";

/** Those that need the whole width. */
const WIDE = new Set(["taxonomy", "operators", "lengths", "sizes", "axes"]);

interface Props {
  paper: Paper;
  measured: SettingPanels;
  mode: Mode;
}

export function Figures(props: Props) {
  return (
    <div class="paper-figures">
      {props.paper.figures.about.map((about) => (
        <Card key={about.id} about={about} {...props} />
      ))}
    </div>
  );
}

function Card(props: Props & { about: About }) {
  const { about, paper, measured, mode } = props;
  const drawn = useMemo(
    () => FIGURES[about.id]?.(paper, measured, mode) ?? null,
    [about, paper, measured, mode],
  );
  const table = tableOf(about.id, paper, measured) ?? drawn;
  const title = `${about.ref}: ${about.title}`;
  const file = fileName("paper", about.ref);
  const hasPanels = drawn !== null && drawn.panels.length > 0;
  const savePicture = async () => {
    if (drawn) download(`${file}.png`, await pictureOfFigure(drawn, title, about.caption, mode));
  };
  return (
    <section class={`panel paper-figure${WIDE.has(about.id) ? " wide" : ""}`} aria-label={title}>
      <div class="panel-head">
        <h2>
          <span class="soft">{about.ref}</span> {about.title}
        </h2>
        <span class="space" />
        {table && table.rows.length > 0 && (
          <SaveButtons
            csvHint="The figure's values, exact"
            onCsv={() => downloadCsv(`${file}.csv`, toCsv(table.header, table.rows))}
            {...(hasPanels ? { onPng: savePicture } : {})}
          />
        )}
      </div>
      <figure>
        {drawn && hasPanels && (
          <>
            <Legend entries={drawn.legend} />
            <Multiples panels={drawn.panels} label={about.title} mode={mode} />
          </>
        )}
        {about.id === "taxonomy" && <Taxonomy paper={paper} />}
        {about.id === "phases" && <Phases paper={paper} measured={measured} />}
        <figcaption>{about.caption}</figcaption>
      </figure>
      <Needs needs={needsOf(measured, about.id)} />
      <OfClaims about={about} paper={paper} setting={measured.setting} />
    </section>
  );
}

function tableOf(id: string, paper: Paper, measured: SettingPanels) {
  if (id === "taxonomy") return taxonomyCells(paper);
  return id === "phases" ? phaseCells(measured) : null;
}

function needsOf(measured: SettingPanels, id: string): readonly Recording[] {
  const panel = measured[id as keyof SettingPanels];
  return typeof panel === "object" ? panel.needs : [];
}

function Needs({ needs }: { needs: readonly Recording[] }) {
  if (needs.length === 0) return null;
  return (
    <ul class="needs">
      {needs.map(({ what, command }) => (
        <li key={command}>
          Not recorded: {what}. <code>{command}</code>
        </li>
      ))}
    </ul>
  );
}

function OfClaims(props: { about: About; paper: Paper; setting: number }) {
  const { about, paper, setting } = props;
  const rows = paper.rows.filter((row) => about.claims.includes(row.claim.id));
  return (
    <ul class="of-claims">
      {rows.map((row) => {
        const own = row.outcomes.filter((one) => (one.setting ?? setting) === setting);
        return (
          <li key={row.claim.id} title={own.map((one) => one.why).join("\n")}>
            <Badge verdict={(own.length === 1 && own[0]?.verdict) || row.verdict} />
            <span>
              {row.claim.text}
              <Told row={row} own={own} />
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** The one value of a claim beside the stated one, or how many of several hold. */
function Told({ row, own }: { row: ClaimRow; own: readonly Outcome[] }) {
  const [only] = own;
  if (only === undefined) return null;
  if (own.length > 1) {
    const told = own.filter((one) => one.verdict !== "not measurable here");
    const held = told.filter((one) => one.verdict !== "contradicts");
    return <span class="soft">{`: ${held.length} of ${told.length} values hold`}</span>;
  }
  const stated = statedText(row.claim, statedOf(row.claim, only));
  const measured = measuredText(row.claim, only);
  return (
    <>
      {stated !== "–" && (
        <>
          {": "}
          <Stated text={stated} />
        </>
      )}
      {measured !== "–" && (
        <>
          , here <b>{measured}</b>
        </>
      )}
    </>
  );
}

function Legend({ entries }: { entries: readonly Entry[] }) {
  if (entries.length === 0) return null;
  return (
    <ul class="legend">
      {entries.map(({ name, look, fill, isCited }) => (
        <li key={name}>
          {look ? (
            <MarkIcon {...look} />
          ) : (
            <i
              class={isCited ? "swatch hatched" : "swatch"}
              style={
                isCited
                  ? { borderColor: fill, color: fill }
                  : { background: fill, borderColor: fill }
              }
            />
          )}
          {name}
        </li>
      ))}
    </ul>
  );
}
