// From the other pages to this one, at a stretch of time. It is counted from the first event of the
// trace, not from where a timeline begins, which the filters move.

import type { AttentionCall, Calls } from "../../api/attention";
import type { Client } from "../../api/client";
import type { Store } from "../../state/location";
import { DEFAULT_STATE, type Of } from "../../state/url";
import type { Span } from "./protocol";

const SPAN = "trace_span";
const FORM = "trace_form";

/** Nobody looks at less. */
const SHORTEST_NS = 1000;

/** Goes to the page at `span` of `run`; null is the base, and the whole trace. */
export function showInPerfetto(store: Store, run: string | null, span: Span | null): void {
  const { table, sort, search, open } = DEFAULT_STATE;
  const of = withSpan(store.read().of, span);
  store.write({ page: "trace", shown: run, of, table, sort, search, open }, "push");
}

export function withSpan(of: Of, span: Span | null): Of {
  return { ...of, [SPAN]: span === null ? "" : span.map(Math.round).join("-") };
}

export function spanOf(of: Of): Span | null {
  const [, from, to] = /^(\d{1,15})-(\d{1,15})$/.exec(of[SPAN] ?? "") ?? [];
  return Number(from) < Number(to) ? [Number(from), Number(to)] : null;
}

export function withForm(of: Of, form: string): Of {
  return { ...of, [FORM]: form === "original" ? form : "" };
}

/** Whether the person wants the file as it lies there. */
export function wantsOriginal(of: Of): boolean {
  return of[FORM] === "original";
}

/** Where a call is: on the device if it ran on one. */
export function spanOfCall(
  call: Pick<AttentionCall, "start_ns" | "device_start_ns" | "device_ns" | "cpu_ns">,
): Span {
  const from = call.device_start_ns ?? call.start_ns;
  const time = (call.device_start_ns === null ? null : call.device_ns) ?? call.cpu_ns;
  return [from, from + Math.max(SHORTEST_NS, time)];
}

/** Where the call with this number is; null where the run has no such call. */
export async function spanOfIndex(
  client: Client,
  run: string,
  index: number,
): Promise<Span | null> {
  const selection = [
    ["at", `${index}`],
    ["count", "1"],
  ] as const;
  const { calls } = await client.view<Calls>("calls", [run], { selection });
  const call = calls.find((each) => each.index === index);
  return call === undefined ? null : spanOfCall(call);
}
