// What the page says: values with their units, verdicts, and settings.

import type { Claim, Outcome, Paper, Setting, Stated, Verdict } from "../../api/paper";
import { threeDigits } from "../../format";

export const VERDICTS: readonly { id: Verdict; sign: string; title: string; hint: string }[] = [
  { id: "within", sign: "✓", title: "within", hint: "Agrees with the value that the paper states" },
  {
    id: "same direction",
    sign: "↗",
    title: "same direction",
    hint: "Shows what the claim is about in another size, as smaller models can at most",
  },
  {
    id: "contradicts",
    sign: "✗",
    title: "contradicts",
    hint: "Shows the opposite, or another size",
  },
  {
    id: "not measurable here",
    sign: "–",
    title: "not measurable",
    hint: "Needs other runs or other hardware, see why",
  },
];

export function verdictOf(id: Verdict) {
  return VERDICTS.find((verdict) => verdict.id === id) ?? VERDICTS[3];
}

const UNITS: Readonly<Record<string, string>> = { "%": " %", x: "×", B: " B" };

function withUnit(value: number, claim: Claim): string {
  const unit = UNITS[claim.unit] ?? "";
  return `${Number.isInteger(value) ? value : threeDigits(value)}${unit}`;
}

/** What the paper states of what was measured; of several things where none of them was. */
export function statedOf(claim: Claim, outcome: Outcome): Stated[] {
  const names = outcome.of.split(", ");
  const [own] = claim.values.filter((value) => value.of === outcome.of);
  return own ? [own] : claim.values.filter((value) => names.includes(value.of));
}

export function statedText(claim: Claim, stated: readonly Stated[]): string {
  return [...new Set(stated.map((one) => oneText(claim, one)))].join(", ") || "–";
}

function oneText(claim: Claim, stated: Stated): string {
  const { low, high, value } = stated;
  if (stated.words !== null) return stated.words;
  if (value !== null) return `${stated.up_to ? "up to " : ""}${withUnit(value, claim)}`;
  if (low !== null && high !== null) return `${withUnit(low, claim)} to ${withUnit(high, claim)}`;
  if (low !== null) return `over ${withUnit(low, claim)}`;
  return high === null ? "–" : `under ${withUnit(high, claim)}`;
}

export function measuredText(claim: Claim, outcome: Outcome): string {
  const { measured, low, high } = outcome;
  if (measured !== null) return withUnit(measured, claim);
  if (low !== null && high !== null) return `${withUnit(low, claim)} to ${withUnit(high, claim)}`;
  return outcome.measured_words ?? "–";
}

export function titleOfModel(paper: Paper, name: string): string {
  return paper.models.find((model) => model.name === name)?.title ?? name;
}

/** A model, several of them, or what is counted. */
export function ofText(paper: Paper, of: string): string {
  return of
    .split(", ")
    .map((name) => titleOfModel(paper, name))
    .join(", ");
}

export function settingText(setting: Setting | undefined): string {
  if (setting === undefined) return "–";
  const dtype = setting.dtype === null ? "" : `, ${setting.dtype}`;
  return `${setting.hardware}, ${setting.scale} scale${dtype}`;
}
