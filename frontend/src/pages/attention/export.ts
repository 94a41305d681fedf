// What the page's CSV buttons save: the API's figures, exact, under the API's names.

import type { AttentionCall, AttentionGroup, Level } from "../../api/attention";
import { type Cell, toCsv } from "../../csv";
import { type Drawn, wholeOf } from "./drawn";
import type { Sequenced } from "./sequences";
import { stretchOf, type View } from "./view";

/** A line for each call that is drawn in the stretch that is shown. */
export function drawnCsv(parts: readonly { run: Sequenced; drawn: Drawn }[], view: View): string {
  const header = ["run", "trace", "basis", "place", "index", "start_ns", "q_len", "kv_len"];
  return toCsv(
    [...header, "time_ns", "component", "kind", "axis", "implementation"],
    parts.flatMap(({ run, drawn }): Cell[][] => {
      const { sequence } = run;
      const shown = stretchOf(view.cut, sequence.period) ?? wholeOf(sequence, view.along);
      const along = view.along === "time" ? drawn.start_ns : drawn.place;
      return drawn.place.flatMap((place, at): Cell[][] => {
        const x = along[at] as number;
        const of = drawn.of[at];
        if (x < shown[0] || x > shown[1] || of === undefined) return [];
        const kv = drawn.kv_len[at] as number;
        const figures = [drawn.start_ns, drawn.q_len].map((column) => column[at] as number);
        return [
          [
            ...[run.label, sequence.trace, sequence.basis, place, drawn.index[at] as number],
            ...figures,
            kv < 0 ? null : kv,
            drawn.time_ns[at] as number,
            ...[of.component, of.kind, of.axis, of.implementation],
          ],
        ];
      });
    }),
  );
}

const CALL_FIELDS = [
  ...(["index", "pass", "forward_index", "start_ns", "device_ns", "cpu_ns", "layout_ns"] as const),
  ...(["flops", "moved_bytes", "flops_per_s", "intensity"] as const),
  ...(["batch", "heads", "kv_heads", "q_len", "kv_len", "q_tokens", "head_dim"] as const),
  ...(["v_head_dim", "dtype", "causal", "mask", "kind", "axis", "implementation"] as const),
  ...(["phase", "component", "module", "layer", "step", "reason"] as const),
];

export function callsCsv(calls: readonly AttentionCall[]): string {
  return toCsv(
    CALL_FIELDS,
    calls.map((call) => CALL_FIELDS.map((field) => cell(call[field]))),
  );
}

const GROUP_FIELDS = [
  ...(["pass", "component", "kind", "axis", "implementation", "phase", "batch"] as const),
  ...(["heads", "kv_heads", "q_len", "kv_len", "head_dim", "causal", "dtype"] as const),
  ...(["calls", "time_ns", "share", "first_index"] as const),
];

export function groupsCsv(groups: readonly AttentionGroup[]): string {
  return toCsv(
    GROUP_FIELDS,
    groups.map((group) => GROUP_FIELDS.map((field) => cell(group[field]))),
  );
}

export function levelsCsv(levels: readonly Level[]): string {
  return toCsv(
    ["q_len", "kv_len_min", "kv_len_max", "calls", "time_ns", "share", "kinds", "modules"],
    levels.map((level) => [
      level.q_len,
      ...level.kv_lens,
      level.calls,
      level.time_ns,
      level.share,
      Object.entries(level.kinds)
        .map(([kind, calls]) => `${kind} ${calls}`)
        .join("; "),
      [...level.modules, ...(level.modules_left > 0 ? [`${level.modules_left} more`] : [])].join(
        "; ",
      ),
    ]),
  );
}

function cell(value: Cell | boolean): Cell {
  return typeof value === "boolean" ? String(value) : value;
}
