// The filters that hold on every page. A new one is a row here; its values are in every link.

import type { AttentionGroup } from "../api/attention";
import type { Selection } from "../api/client";
import type { Operators, Overview } from "../api/types";
import type { Filters } from "../state/url";
import { AXIS_ORDER, inOrderOf, KIND_ORDER, NONE, PHASE_ORDER, titleOf } from "../theme/kinds";

export interface Choice {
  value: string;
  title: string;
}

/** What choices are made from: the base, unfiltered. */
export interface Available {
  operators: Operators;
  overview: Overview;
  /** The attention calls by what they are; null where the page does not filter calls. */
  calls: readonly AttentionGroup[] | null;
}

export interface Filter {
  id: string;
  title: string;
  hint: string;
  /** Any number of values, or the first and the last of a range. */
  kind: "any" | "range";
  choices: (available: Available) => readonly Choice[];
  /** The values as the routes take them. */
  query: (values: readonly string[]) => Selection;
  /** It chooses attention calls, so only pages of calls know it. */
  isOfCalls?: boolean;
  /** What is chosen, in a word or two. */
  say: (values: readonly string[]) => string;
}

function same(value: string): Choice {
  return { value, title: value };
}

type Word = "kind" | "axis" | "phase";

/** A filter of calls by one word of the vocabulary; the routes call what nothing tells `none`. */
function byWord(
  id: Word,
  title: string,
  hint: string,
  order: readonly string[],
  unknown: string,
): Filter {
  const say = (value: string) => titleOf(value, unknown);
  return {
    id,
    title,
    hint,
    kind: "any",
    isOfCalls: true,
    choices: ({ calls }) =>
      inOrderOf(
        order,
        (calls ?? []).map((group) => group[id] ?? NONE),
      ).map((value) => ({ value, title: say(value) })),
    query: (values) => values.map((value) => [id, value]),
    say: (values) => values.map(say).join(", "),
  };
}

const PASS_TITLES: Readonly<Record<string, string>> = { unknown: "unknown pass" };

export const FILTERS: readonly Filter[] = [
  {
    id: "component",
    title: "Component",
    hint: "Independently trained parts of the pipeline",
    kind: "any",
    choices: ({ operators }) => operators.components.map((row) => same(row.name)),
    query: (values) => values.map((value) => ["component", value]),
    say: (values) => values.join(", "),
  },
  {
    id: "pass",
    title: "Pass",
    hint: "Forward, backward, recompute, optimizer",
    kind: "any",
    choices: ({ operators }) =>
      operators.passes.map((row) => ({
        value: row.pass,
        title: PASS_TITLES[row.pass] ?? row.pass,
      })),
    query: (values) => values.map((value) => ["pass", value]),
    say: (values) => values.map((value) => PASS_TITLES[value] ?? value).join(", "),
  },
  {
    id: "steps",
    title: "Steps",
    hint: "Steps, counted from 0 in each run; work belongs to the step that launched it",
    kind: "range",
    choices: ({ overview }) =>
      overview.steps.map((step) => ({
        value: String(step.index),
        title: `${step.index}: ${step.name}`,
      })),
    query: ([first, last]) =>
      isIndex(first) && isIndex(last)
        ? [
            ["first_step", first],
            ["last_step", last],
          ]
        : [],
    say: ([first, last]) => (first === last ? `${first}` : `${first} to ${last}`),
  },
  byWord("kind", "Kind", "Self, cross and joint attention", KIND_ORDER, "unknown kind"),
  byWord("axis", "Axis", "What attention goes along: space, time", AXIS_ORDER, "unknown axis"),
  byWord("phase", "Phase", "Prefill, decode, denoise, encode", PHASE_ORDER, "no phase"),
];

/** A link may hold anything. */
function isIndex(value: string | undefined): value is string {
  return value !== undefined && /^\d{1,9}$/.test(value);
}

/** A filter that is in use, with its values. */
export interface Active {
  filter: Filter;
  values: readonly string[];
}

/** The filters in use; those of calls only on a page that has calls. */
export function active(filters: Filters, hasCalls: boolean): Active[] {
  return FILTERS.flatMap((filter) => {
    const values = filters[filter.id] ?? [];
    const isMeant = hasCalls || filter.isOfCalls !== true;
    return isMeant && filter.query(values).length > 0 ? [{ filter, values }] : [];
  });
}

export function selectionOf(filters: Filters, hasCalls: boolean): Selection {
  return active(filters, hasCalls).flatMap(({ filter, values }) => filter.query(values));
}

/** `filters` with the values of one replaced; no value is no filter. */
export function withValues(filters: Filters, id: string, values: readonly string[]): Filters {
  const others = Object.entries(filters).filter(([other]) => other !== id);
  return Object.fromEntries(values.length > 0 ? [...others, [id, values]] : others);
}
