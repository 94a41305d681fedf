// What the page says of a run: beside the headline, below the chart, in place of nothing.

import type { Attention, AttentionGroup, Sequence } from "../../api/attention";
import { count, duration } from "../../format";
import type { Sequenced } from "./sequences";
import { firstPeriod, type View } from "./view";

/** What decides the work of a call: calls of one shape do the same. */
function shapeOf(group: AttentionGroup): string {
  const { batch, heads, kv_heads, q_len, kv_len, head_dim } = group;
  return [batch, heads, kv_heads, q_len, kv_len, head_dim].join(" ");
}

/** Distinct shapes of the calls whose lengths are known. */
export function shapes(attention: Attention): number {
  return new Set(attention.groups.filter((group) => group.q_len !== null).map(shapeOf)).size;
}

/** More of a run, which is named where there are several. */
export function detail(attention: Attention, label: string | null): string {
  const { time_ns, category_ns, basis, calls_total, without_shapes } = attention;
  const found = shapes(attention);
  const parts = [`${count(found)} distinct shape${found === 1 ? "" : "s"}`];
  const where = basis === "device" ? "of device time" : "of CPU time in their ops";
  parts.push(`the calls take ${duration(time_ns)} ${where}`);
  if (basis === "device") {
    parts.push(`all that is Attention in the trace ${duration(category_ns)}`);
  }
  if (without_shapes > 0) {
    parts.push(`${count(without_shapes)} of ${count(calls_total)} calls are without known lengths`);
  }
  return `${label === null ? "" : `${label}: `}${parts.join("; ")}.`;
}

/** What the chart counts and where it is from. */
export function caption(runs: readonly Sequenced[], view: View, isCoarse: boolean): string {
  const sentences = [
    "One mark an attention call: the number of its queries; the lighter mark at the same place is " +
      "the number of its keys, where that differs.",
    view.along === "time"
      ? "Calls stand where they start on the CPU, from the first event of the trace."
      : "Calls stand in the order in which they start.",
    `Lengths are from the shapes that the ops recorded; the scale is ${view.isLog ? "logarithmic, marked at powers of two" : "linear"}.`,
  ];
  if (isCoarse) {
    sentences.push(
      "Where calls are too many to draw, the shortest and the longest stand for their neighbours; " +
        "zoom in for every one.",
    );
  }
  const isShaded = view.along === "calls" && view.cut !== "period";
  if (isShaded && runs.some((run) => firstPeriod(run.sequence.period) !== null)) {
    sentences.push("The shaded stretch is the first period.");
  }
  const weight = view.weight === "time" ? timeOf(runs) : "number of calls";
  sentences.push(`The bars beside it add up the ${weight} at each number of queries.`);
  if (runs.some((run) => run.sequence.levels_left > 0)) {
    sentences.push("They leave out the shortest of the lengths, since there are too many.");
  }
  return sentences.join(" ");
}

function timeOf(runs: readonly Sequenced[]): string {
  const isDevice = runs.every((run) => run.sequence.basis === "device");
  return isDevice ? "device time of the calls" : "time of the calls (CPU time without a device)";
}

/** Why there is nothing to draw, and what would change that; null where there is something. */
export function nothingIn(
  sequence: Sequence,
  isFiltered: boolean,
): { title: string; text: string } | null {
  if (sequence.calls > 0) return null;
  const { without_shapes } = sequence;
  if (without_shapes > 0) {
    return {
      title: `${count(without_shapes)} attention call${without_shapes === 1 ? "" : "s"}, and nothing tells their lengths`,
      text:
        "Record with record_shapes=True, or with genscope.collect, which writes down every " +
        "attention call: the sequence lengths are in neither kernels nor CUDA graphs.",
    };
  }
  if (isFiltered) {
    return {
      title: "No attention call passes the filters",
      text: "Remove one of the filters above to see more.",
    };
  }
  return {
    title: "No attention call was found",
    text:
      "If the model has attention, record its ops too: profile with ProfilerActivity.CPU and " +
      "record_shapes=True. Attention written as plain products is told by its shapes, and " +
      "genscope.collect writes down every call.",
  };
}
