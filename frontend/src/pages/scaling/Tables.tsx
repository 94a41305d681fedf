// The fits, what grows fastest, and where lines cross.

import type { ScalingCrossover, ScalingLine, ScalingSweep } from "../../api/scaling";
import { downloadCsv, fileName } from "../../browser";
import { SaveButtons } from "../../components/panel";
import { ShareBar } from "../../components/ShareBar";
import { count, exactPercent, percent, threeDigits } from "../../format";
import type { State } from "../../state/url";
import { groupOf, metricOf } from "./Chart";
import { crossoversCsv, fitsCsv } from "./export";
import { fitsOf } from "./lines";
import { GROUPS, lineName, MEASURES, measureOf, powerText, twoDecimals } from "./words";

/** What grows fastest in each metric, a column for each line: before and after fused attention. */
export function Growing({ sweep }: { sweep: ScalingSweep }) {
  const of = (line: ScalingLine, metric: string) =>
    line.growth.find((growth) => growth.metric === metric);
  const measures = MEASURES.filter(({ id }) => sweep.lines.some((line) => of(line, id)?.fastest));
  if (measures.length === 0) return null;
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>What grows fastest</h2>
        <span class="soft">
          the category with the largest power of those that are 2 % of any run or more
        </span>
      </div>
      <div class="runs-table">
        <table>
          <caption class="hidden">What grows fastest</caption>
          <thead>
            <tr>
              <th scope="col" class="left">
                of
              </th>
              {sweep.lines.map((line) => (
                <th key={keyOf(line)} scope="colgroup" class="left" colSpan={4}>
                  {lineName(line)} ({line.role})
                </th>
              ))}
            </tr>
            <tr>
              <th />
              {sweep.lines.map((line) => (
                <Columns key={keyOf(line)} />
              ))}
            </tr>
          </thead>
          <tbody>
            {measures.map(({ id, title, hint }) => (
              <tr key={id}>
                <th scope="row" class="left" title={hint}>
                  {title}
                </th>
                {sweep.lines.map((line) => {
                  const growth = of(line, id);
                  const power = (value: number | null | undefined) => (
                    <td title={typeof value === "number" ? String(value) : ""}>
                      {typeof value === "number" ? twoDecimals(value) : "–"}
                    </td>
                  );
                  return (
                    <>
                      <td class="left">
                        {growth?.fastest ? (
                          <>
                            <span class="whole">
                              <b>{growth.fastest}</b>{" "}
                              {growth.exponent === null ? "" : twoDecimals(growth.exponent)}
                            </span>
                            {!growth.clear && growth.second && (
                              <span class="soft"> not clearly before {growth.second}</span>
                            )}
                          </>
                        ) : (
                          "–"
                        )}
                      </td>
                      <td class="left whole">
                        {growth?.second ?? "–"}{" "}
                        {typeof growth?.second_exponent === "number" &&
                          twoDecimals(growth.second_exponent)}
                      </td>
                      {power(growth?.attention_exponent)}
                      {power(growth?.convolution_exponent)}
                    </>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Columns() {
  return (
    <>
      <th scope="col" class="left">
        fastest, power
      </th>
      <th scope="col" class="left">
        then
      </th>
      <th scope="col">Attention</th>
      <th scope="col">Convolution</th>
    </>
  );
}

function keyOf(line: ScalingLine): string {
  return `${line.role} ${line.attention}`;
}

export function Fits({ sweep, state }: { sweep: ScalingSweep; state: State }) {
  const [metric, group] = [metricOf(state), groupOf(state, sweep)];
  const rows = fitsOf(sweep, metric, group);
  const isOf = rows.some(({ fit }) => fit.component !== null);
  const hasTwo = rows.some(({ fit }) => fit.exponent === null && fit.slope !== null);
  const title = GROUPS.find((each) => each.id === group)?.title ?? group;
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Fits</h2>
        <span class="soft">
          {measureOf(metric).title}, {title.toLowerCase()}
        </span>
        <span class="space" />
        <SaveButtons
          csvHint="Every fit of the sweep, exact"
          onCsv={() => downloadCsv(`${fileName("fits", sweep.name)}.csv`, fitsCsv(sweep))}
        />
      </div>
      <div class="runs-table">
        <table>
          <caption class="hidden">Fitted power laws</caption>
          <thead>
            <tr>
              {isOf && (
                <th scope="col" class="left">
                  component
                </th>
              )}
              <th scope="col" class="left">
                {title.toLowerCase()}
              </th>
              <th scope="col" class="left">
                attention
              </th>
              <th scope="col" title="The power of the parameter that it grows with">
                power
              </th>
              <th scope="col" title="Standard error of the power">
                ±
              </th>
              <th scope="col" title="Distinct values of the parameter that it rests on">
                points
              </th>
              <th scope="col">runs</th>
              <th scope="col" title="Largest distance of a point from the law">
                deviation %
              </th>
              <th scope="col" title="Share of the variance of the logarithms that it explains">
                R²
              </th>
              <th scope="col" title="Of the whole at the largest value">
                share %
              </th>
              <th scope="col" class="left" />
            </tr>
          </thead>
          <tbody>
            {rows.map(({ line, fit }, at) => (
              <tr key={`${at} ${fit.name}`}>
                {isOf && <td class="left">{fit.component ?? "all"}</td>}
                <th scope="row" class="left">
                  {fit.name}
                </th>
                <td class="left">{lineName(line)}</td>
                <td title={String(fit.exponent ?? fit.slope ?? "")}>
                  <b>{powerText(fit)}</b>
                </td>
                <td title={String(fit.error ?? "")}>
                  {fit.error === null ? "–" : twoDecimals(fit.error)}
                </td>
                <td>{count(fit.points)}</td>
                <td>{count(fit.runs)}</td>
                <td title={fit.deviation === null ? "" : exactPercent(fit.deviation)}>
                  {fit.deviation === null ? "–" : percent(fit.deviation)}
                </td>
                <td title={String(fit.r2 ?? "")}>{fit.r2 === null ? "–" : fit.r2.toFixed(3)}</td>
                <td title={fit.share === null ? "" : exactPercent(fit.share)}>
                  {fit.share === null ? (
                    "–"
                  ) : (
                    <ShareBar share={fit.share}>{percent(fit.share)}</ShareBar>
                  )}
                </td>
                <td class="left soft">{fit.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="soft">No run tells this figure.</p>}
        {hasTwo && (
          <p class="soft">* leads from one value to the other; it says nothing about a third.</p>
        )}
      </div>
    </section>
  );
}

export function Crossovers({ sweep, state }: { sweep: ScalingSweep; state: State }) {
  const metric = metricOf(state);
  const rows = sweep.lines.flatMap((line) =>
    line.crossovers.filter((each) => each.metric === metric).map((each) => ({ line, each })),
  );
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Crossovers</h2>
        <span class="soft">{measureOf(metric).title}: what becomes the larger as it grows</span>
        <span class="space" />
        <SaveButtons
          csvHint="Every crossover of the sweep, exact"
          onCsv={() =>
            downloadCsv(`${fileName("crossovers", sweep.name)}.csv`, crossoversCsv(sweep))
          }
        />
      </div>
      <div class="runs-table">
        {rows.length === 0 ? (
          <p class="soft">No line overtakes another, here or up to four times beyond.</p>
        ) : (
          <table>
            <caption class="hidden">Crossovers</caption>
            <thead>
              <tr>
                <th scope="col" class="left">
                  attention
                </th>
                <th scope="col" class="left">
                  what overtakes
                </th>
                <th scope="col" class="left">
                  what
                </th>
                <th scope="col">at</th>
                <th scope="col" class="left">
                  how it is known
                </th>
                <th scope="col" title="Points that it rests on">
                  points
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ line, each }, at) => (
                <tr key={`${at} ${each.upper} ${each.lower}`}>
                  <td class="left">{lineName(line)}</td>
                  <th scope="row" class="left">
                    {each.upper}
                    {each.component !== null && <span class="soft"> of {each.component}</span>}
                  </th>
                  <td class="left">{each.lower}</td>
                  <td title={String(each.value)}>
                    <b>{each.label}</b>
                  </td>
                  <td class="left">{howKnown(each)}</td>
                  <td>{count(each.points)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}

export function howKnown(each: ScalingCrossover): string {
  if (each.between !== null) {
    return `measured, between ${count(each.between[0])} and ${count(each.between[1])}`;
  }
  const [upper, lower, low, high] = [each.upper_exponent, each.lower_exponent, each.low, each.high];
  const range =
    low === null || high === null ? "" : `, ${threeDigits(low)} to ${threeDigits(high)}`;
  const powers =
    upper === null || lower === null
      ? ""
      : `: powers ${twoDecimals(upper)} and ${twoDecimals(lower)} meet there`;
  return `predicted${range}${powers}`;
}
