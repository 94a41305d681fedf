// The filters in the top bar: a choice for each that has one, a chip for each in use.

import { Popover } from "../components/Popover";
import { shortenMiddle } from "../format";
import type { Filters } from "../state/url";
import { type Available, active, type Choice, FILTERS, type Filter, withValues } from "./registry";

interface Props {
  filters: Filters;
  /** Null until the base is read; the chips are there before. */
  available: Available | null;
  /** Whether the page filters attention calls. */
  hasCalls: boolean;
  onChange: (filters: Filters) => void;
}

export function FilterBar(props: Props) {
  const { filters, available, hasCalls, onChange } = props;
  const offered = FILTERS.filter((filter) => hasCalls || !filter.isOfCalls)
    .map((filter) => ({ filter, choices: available ? filter.choices(available) : [] }))
    .filter(({ choices }) => choices.length > 1);
  const used = active(filters, hasCalls);
  if (offered.length === 0 && used.length === 0) return null;
  return (
    <fieldset class="filters" aria-label="Filters of all pages">
      {offered.map(({ filter, choices }) => (
        <Popover key={filter.id} title={filter.title} hint={filter.hint} label={filter.hint}>
          {() => {
            const Choose = filter.kind === "range" ? Range : AnyOf;
            return (
              <Choose
                filter={filter}
                choices={choices}
                values={filters[filter.id] ?? []}
                onChange={(values) => onChange(withValues(filters, filter.id, values))}
              />
            );
          }}
        </Popover>
      ))}
      {used.map(({ filter, values }) => (
        <span key={filter.id} class="chip filter" title={`${filter.title}: ${filter.say(values)}`}>
          <span class="label">
            {filter.title} <b>{shortenMiddle(filter.say(values), 36)}</b>
          </span>
          <button
            type="button"
            class="remove"
            aria-label={`Remove the filter ${filter.title}`}
            onClick={() => onChange(withValues(filters, filter.id, []))}
          >
            ×
          </button>
        </span>
      ))}
    </fieldset>
  );
}

interface ChooseProps {
  filter: Filter;
  choices: readonly Choice[];
  values: readonly string[];
  onChange: (values: readonly string[]) => void;
}

function AnyOf({ choices, values, onChange }: ChooseProps) {
  return (
    <ul>
      {choices.map(({ value, title }) => (
        <li key={value}>
          <label title={title}>
            <input
              type="checkbox"
              checked={values.includes(value)}
              onChange={(event) =>
                onChange(
                  event.currentTarget.checked
                    ? [...values, value]
                    : values.filter((other) => other !== value),
                )
              }
            />
            <span class="run-label">{shortenMiddle(title, 56)}</span>
          </label>
        </li>
      ))}
    </ul>
  );
}

function Range({ filter, choices, values, onChange }: ChooseProps) {
  const last = choices.length - 1;
  const place = (value: string | undefined, otherwise: number) => {
    const found = choices.findIndex((choice) => choice.value === value);
    return found < 0 ? otherwise : found;
  };
  const from = place(values[0], 0);
  const to = place(values[1], last);
  const choose = (first: number, end: number) => {
    const isAll = first === 0 && end === last;
    const ends = [choices[first]?.value ?? "", choices[end]?.value ?? ""];
    onChange(isAll ? [] : ends);
  };
  // Moving one end beyond the other takes the other along.
  return (
    <div class="range">
      <End
        label={`First of ${filter.title}`}
        word="from"
        choices={choices}
        at={from}
        onPick={(at) => choose(at, Math.max(at, to))}
      />
      <End
        label={`Last of ${filter.title}`}
        word="to"
        choices={choices}
        at={to}
        onPick={(at) => choose(Math.min(at, from), at)}
      />
    </div>
  );
}

function End(props: {
  label: string;
  word: string;
  choices: readonly Choice[];
  at: number;
  onPick: (at: number) => void;
}) {
  return (
    <label>
      {props.word}
      <select
        aria-label={props.label}
        value={String(props.at)}
        onChange={(event) => props.onPick(Number(event.currentTarget.value))}
      >
        {props.choices.map((choice, index) => (
          <option key={choice.value} value={String(index)}>
            {shortenMiddle(choice.title, 40)}
          </option>
        ))}
      </select>
    </label>
  );
}
