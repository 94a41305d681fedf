// Which runs are compared: what is proposed, and two lists to choose by hand.

import type { Pairing } from "../../api/speedup";
import { ALONE, type Chosen } from "./pair";

export function PairBar(props: {
  runs: readonly { id: string; label: string }[];
  chosen: Chosen;
  pairing: Pairing | null;
  /** Why the server took the one for the baseline. */
  roles: string | null;
  /** A report holds some pairs only. */
  isComparable: (base: string, fused: string) => boolean;
  onChoose: (change: Partial<Pick<Chosen, "base" | "fused">>) => void;
}) {
  const { runs, chosen, pairing, roles, isComparable, onChoose } = props;
  const labelOf = (id: string) => runs.find((run) => run.id === id)?.label ?? id;
  const { base, fused } = chosen;
  const pairs = pairing?.pairs ?? [];
  const isShown = (pair: Pairing["pairs"][number]) =>
    pair.baseline === base && pair.fused === fused;
  const others = pairs.filter((pair) => !isShown(pair));
  return (
    <div class="pair-bar">
      <label>
        baseline{" "}
        <select
          aria-label="Baseline"
          value={base}
          onChange={(event) => onChoose({ base: event.currentTarget.value })}
        >
          {runs.map((run) => (
            <option key={run.id} value={run.id}>
              {run.label}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        aria-label="Swap baseline and fused"
        title="Swap baseline and fused"
        disabled={fused === null || !isComparable(fused, base)}
        onClick={() => fused !== null && onChoose({ base: fused, fused: base })}
      >
        ⇄
      </button>
      <label>
        fused{" "}
        <select
          aria-label="Fused"
          value={fused ?? ALONE}
          onChange={({ currentTarget: { value } }) =>
            onChoose({ fused: value === ALONE ? null : value })
          }
        >
          <option value={ALONE}>none: what could be gained</option>
          {runs
            .filter((run) => run.id !== base && isComparable(base, run.id))
            .map((run) => (
              <option key={run.id} value={run.id}>
                {run.label}
              </option>
            ))}
        </select>
      </label>
      <span class="soft why">{why(chosen, roles, pairs.some(isShown), runs.length)}</span>
      {others.length > 0 && (
        <span class="proposed">
          also a pair:
          {others.map((pair) => (
            <button
              key={`${pair.baseline} ${pair.fused}`}
              type="button"
              class="link"
              title={pair.reason}
              onClick={() => onChoose({ base: pair.baseline, fused: pair.fused })}
            >
              {labelOf(pair.baseline)} → {labelOf(pair.fused)}
            </button>
          ))}
        </span>
      )}
      {pairing && Object.keys(pairing.alone).length > 0 && (
        <details class="soft">
          <summary>Runs without a partner: {Object.keys(pairing.alone).length}</summary>
          <ul>
            {Object.entries(pairing.alone).map(([id, reason]) => (
              <li key={id}>
                <b>{labelOf(id)}</b>: {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** Why these two are compared, or why none are. */
function why(chosen: Chosen, roles: string | null, isPaired: boolean, runs: number): string {
  if (chosen.fused === null) {
    if (runs === 1) return "Choose another run above to compare with.";
    if (chosen.isByHand) return "One run alone.";
    const reason = chosen.reason === null ? "" : ` (${chosen.reason})`;
    return `No pair was found${reason}. Choose the fused run here to compare two.`;
  }
  const reason = roles ?? chosen.reason;
  const how = isPaired ? "Proposed as a pair" : "Chosen by hand";
  return reason === null ? `${how}.` : `${how}: ${reason}.`;
}
