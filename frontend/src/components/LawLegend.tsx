// What the lines of a chart of power laws stand for, each to be left out and taken back.

export interface LawKey {
  /** What `onToggle` is given. */
  id: string;
  name: string;
  /** What stands behind it, softer: its exponent. */
  detail: string;
  hint: string;
  color: string;
  isDashed?: boolean;
  isShown: boolean;
}

export function LawLegend(props: {
  label: string;
  keys: readonly LawKey[];
  onToggle: (id: string) => void;
}) {
  return (
    <ul class="legend laws-legend" aria-label={props.label}>
      {props.keys.map((key) => (
        <li key={key.id}>
          <button
            type="button"
            aria-pressed={key.isShown}
            title={key.hint}
            onClick={() => props.onToggle(key.id)}
          >
            <i class={key.isDashed ? "dashed" : ""} style={{ borderColor: key.color }} />
            {key.name}
            {key.detail !== "" && <span class="soft">{key.detail}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The names that are left out, as a link keeps them. */
export function hiddenOf(text: string | undefined): ReadonlySet<string> {
  return new Set((text ?? "").split("\n").filter(Boolean));
}

/** `hidden` with `name` put in or taken out, as a link keeps it. */
export function toggled(hidden: ReadonlySet<string>, name: string): string {
  const next = new Set(hidden);
  if (!next.delete(name)) next.add(name);
  return [...next].join("\n");
}
