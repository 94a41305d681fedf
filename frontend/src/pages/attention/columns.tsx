// The columns of the page's tables.

import type { AttentionCall, AttentionGroup, Level } from "../../api/attention";
import { ShareBar } from "../../components/ShareBar";
import { ToTrace } from "../../components/ToTrace";
import { MarkIcon } from "../../drawing/Mark";
import {
  bytes,
  count,
  exactDuration,
  exactPercent,
  flopCount,
  flopRate,
  inUnit,
  percent,
  shortenMiddle,
  type TimeUnit,
  threeDigits,
  timeUnit,
} from "../../format";
import type { WindowColumn } from "../../table/WindowTable";
import { titleOf } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";
import { lookOf } from "./looks";

const UNKNOWN = "–";

/** Mean width of a letter at 13 px. */
const LETTER = 6.6;

type NumberField =
  | "index"
  | "batch"
  | "heads"
  | "kv_heads"
  | "q_len"
  | "kv_len"
  | "q_tokens"
  | "head_dim"
  | "v_head_dim"
  | "layer"
  | "step"
  | "forward_index";

type TextField =
  | "pass"
  | "dtype"
  | "mask"
  | "axis"
  | "implementation"
  | "phase"
  | "component"
  | "module"
  | "reason";

type TimeField = "device_ns" | "cpu_ns" | "layout_ns";

function shape(
  id: NumberField,
  title: string,
  hint: string,
  width = 72,
): WindowColumn<AttentionCall> {
  const say = (call: AttentionCall) => {
    const value = call[id];
    return value === null ? UNKNOWN : count(value);
  };
  return { id, title, hint, width, isNumber: true, show: say, exact: say };
}

function text(
  id: TextField,
  title: string,
  hint: string,
  width: number,
  grows = false,
): WindowColumn<AttentionCall> {
  const letters = Math.floor((width - 20) / LETTER);
  return {
    id,
    title,
    hint,
    width,
    grows,
    isNumber: false,
    // Where there is more room the style sheet cuts the end off, and the whole is on hover.
    show: (call) => {
      const value = call[id];
      if (value === null) return UNKNOWN;
      return grows ? value : shortenMiddle(titleOf(value), letters);
    },
    exact: (call) => call[id] ?? "",
  };
}

function time(
  id: TimeField,
  title: string,
  hint: string,
  unit: TimeUnit,
): WindowColumn<AttentionCall> {
  return {
    id,
    title: `${title} ${unit.name}`,
    hint,
    width: 96,
    isNumber: true,
    show: (call) => {
      const value = call[id];
      return value === null ? UNKNOWN : inUnit(value, unit);
    },
    exact: (call) => {
      const value = call[id];
      return value === null ? "" : exactDuration(value);
    },
  };
}

type WorkField = "flops" | "moved_bytes" | "flops_per_s" | "intensity";

function worked(
  id: WorkField,
  title: string,
  hint: string,
  say: (value: number) => string,
): WindowColumn<AttentionCall> {
  return {
    id,
    title,
    hint,
    width: 104,
    isNumber: true,
    show: (call) => (call[id] === null ? UNKNOWN : say(call[id])),
    exact: (call) => (call[id] === null ? "" : count(call[id])),
  };
}

/** The unit of a column whose largest value is not here yet: by the mean of those that are. */
function unitOf(time_ns: number, calls: number): TimeUnit {
  return timeUnit([calls > 0 ? time_ns / calls : 0]);
}

/** Columns of the table of calls; `open` shows a call in the timeline, `trace` in Perfetto. */
export function callColumns(
  of: { time_ns: number; calls: number; isDevice: boolean; hasBackward: boolean; end_ns: number },
  mode: Mode,
  open: (call: AttentionCall) => void,
  trace: ((call: AttentionCall) => void) | null,
): WindowColumn<AttentionCall>[] {
  const unit = unitOf(of.time_ns, of.calls);
  const startUnit = timeUnit([of.end_ns]);
  const start: WindowColumn<AttentionCall> = {
    id: "start_ns",
    title: `start ${startUnit.name}`,
    hint: "When it starts on the CPU, from the first event of the trace",
    width: 108,
    isNumber: true,
    show: (call) => (
      <button
        type="button"
        class="link"
        tabIndex={-1}
        title={`${exactDuration(call.start_ns)}: show it in the timeline`}
        onClick={(event) => {
          event.stopPropagation();
          open(call);
        }}
      >
        {fixed(call.start_ns, startUnit)}
      </button>
    ),
    exact: (call) => exactDuration(call.start_ns),
  };
  const kind: WindowColumn<AttentionCall> = {
    id: "kind",
    title: "kind",
    hint: "Self, cross or joint",
    width: 88,
    isNumber: false,
    show: (call) => (
      <>
        <MarkIcon {...lookOf(call, mode)} /> {call.kind === null ? UNKNOWN : titleOf(call.kind)}
      </>
    ),
    exact: (call) => call.kind ?? "",
  };
  const causal: WindowColumn<AttentionCall> = {
    id: "causal",
    title: "causal",
    hint: "The flag that the op received",
    width: 64,
    isNumber: false,
    show: (call) => (call.causal === null ? UNKNOWN : call.causal ? "yes" : "no"),
    exact: (call) => (call.causal === null ? "" : String(call.causal)),
  };
  const inTrace: WindowColumn<AttentionCall> = {
    id: "trace",
    title: "",
    hint: "Show the call in Perfetto",
    width: 46,
    isNumber: false,
    isSortable: false,
    show: (call) => <ToTrace what={`call ${call.index}`} onShow={() => trace?.(call)} />,
    exact: () => "",
  };
  const columns = [
    shape("index", "call", "Place among all attention calls of the trace, from 0"),
    start,
    ...(trace ? [inTrace] : []),
    kind,
    text("axis", "axis", "What attention goes along", 112),
    shape("q_len", "queries", "Sequence length: queries, the longest of the batch", 80),
    shape("kv_len", "keys", "Keys, the longest of the batch", 80),
    shape("batch", "batch", "Batch: sequences, where lengths vary", 68),
    shape("heads", "heads", "Query heads", 64),
    shape("head_dim", "head dim", "Size of a head", 84),
    ...(of.isDevice ? [time("device_ns", "device", "Sum over its kernels", unit)] : []),
    time("cpu_ns", "CPU", "Inclusive time of its ops", unit),
    worked("flops_per_s", "reached", "FLOPs over device time, CPU time without one", flopRate),
    worked("intensity", "FLOPs/byte", "FLOPs over bytes moved", threeDigits),
    worked(
      "flops",
      "FLOPs",
      "From its lengths; of causal calls, the pairs that the mask leaves",
      flopCount,
    ),
    worked("moved_bytes", "moved", "Queries, keys, values and result; scores if unfused", bytes),
    text("implementation", "implementation", "What computes it", 112),
    text("phase", "phase", "Prefill, decode, denoise, encode", 96),
    text("component", "component", "Independently trained part of the pipeline", 124),
    text("module", "module", "Qualified name within the component", 220, true),
    shape("layer", "layer", "Number of the layer, where its name has one", 60),
    shape("step", "step", "Step, from 0", 56),
    ...(of.hasBackward ? [text("pass", "pass", "Forward, backward, recompute", 84)] : []),
    shape("q_tokens", "all queries", "Queries of the whole batch", 88),
    shape("kv_heads", "kv heads", "Heads of keys and values", 76),
    shape("v_head_dim", "v dim", "Size of a head of the values", 64),
    causal,
    text("mask", "mask", "None, causal, tensor or window", 76),
    text("dtype", "dtype", "Type of the queries", 88),
    ...(of.isDevice
      ? [time("layout_ns", "copies", "Copies of q, k and v, which count as Memory", unit)]
      : []),
    ...(of.hasBackward
      ? [shape("forward_index", "forward", "The call that a backward call differentiates", 72)]
      : []),
    text("reason", "where from", "Where figures come from, or why they are missing", 260, true),
  ];
  return columns;
}

/** With decimals enough to tell calls apart. */
function fixed(ns: number, unit: TimeUnit): string {
  const decimals = Math.min(3, Math.max(0, Math.log10(unit.ns)));
  return (ns / unit.ns).toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/** A column of a list that is here as a whole: `value` is what it sorts by. */
export interface ListColumn<T> extends WindowColumn<T> {
  value: (row: T) => number | string | null;
}

function size<T>(
  id: string,
  title: string,
  hint: string,
  value: (row: T) => number | null,
  width = 76,
): ListColumn<T> {
  const show = (row: T) => {
    const number = value(row);
    return number === null ? UNKNOWN : count(number);
  };
  return { id, title, hint, width, isNumber: true, value, show, exact: show };
}

function word<T>(
  id: string,
  title: string,
  hint: string,
  value: (row: T) => string | null,
  width: number,
): ListColumn<T> {
  const show = (row: T) => titleOf(value(row), UNKNOWN);
  return { id, title, hint, width, isNumber: false, value, show, exact: (row) => value(row) ?? "" };
}

function figures<T extends { time_ns: number; share: number }>(unit: TimeUnit): ListColumn<T>[] {
  return [
    {
      id: "time_ns",
      title: `time ${unit.name}`,
      hint: "Device time of the calls; CPU time without a device",
      width: 96,
      isNumber: true,
      value: (row) => row.time_ns,
      show: (row) => inUnit(row.time_ns, unit),
      exact: (row) => exactDuration(row.time_ns),
    },
    {
      id: "share",
      title: "share %",
      hint: "Part of the time of all calls that are listed",
      width: 110,
      isNumber: true,
      value: (row) => row.share,
      show: (row) => <ShareBar share={row.share}>{percent(row.share)}</ShareBar>,
      exact: (row) => exactPercent(row.share),
    },
  ];
}

type Group = AttentionGroup;

export function groupColumns(groups: readonly Group[], mode: Mode): ListColumn<Group>[] {
  const unit = timeUnit(groups.map((group) => group.time_ns));
  const hasPasses = new Set(groups.map((group) => group.pass)).size > 1;
  const causal = ({ causal }: Group) => (causal === null ? null : causal ? "yes" : "no");
  const kind: ListColumn<Group> = {
    ...word<Group>("kind", "kind", "Self, cross, joint", (group) => group.kind, 92),
    show: (group) => (
      <>
        <MarkIcon {...lookOf(group, mode)} /> {titleOf(group.kind, UNKNOWN)}
      </>
    ),
  };
  const pass = word<Group>("pass", "pass", "Forward, backward", (group) => group.pass, 92);
  const part = "Independently trained part of the pipeline";
  return [
    size("q_len", "queries", "Sequence length: queries", (group) => group.q_len, 84),
    size("kv_len", "keys", "Keys", (group) => group.kv_len, 84),
    size("batch", "batch", "Batch", (group) => group.batch),
    size("heads", "heads", "Query heads", (group) => group.heads),
    size("kv_heads", "kv heads", "Heads of keys and values", (group) => group.kv_heads),
    size("head_dim", "head dim", "Size of a head", (group) => group.head_dim),
    size("calls", "calls", "Attention calls", (group) => group.calls),
    ...figures<Group>(unit),
    kind,
    word("axis", "axis", "What attention goes along", (group) => group.axis, 120),
    word("implementation", "implementation", "What computes it", (row) => row.implementation, 124),
    word("phase", "phase", "Prefill, decode, denoise, encode", (group) => group.phase, 110),
    ...(hasPasses ? [pass] : []),
    word("dtype", "dtype", "Type of the queries", (group) => group.dtype, 92),
    word("causal", "causal", "The flag that the op received", causal, 72),
    size("first_index", "first call", "A click marks it", (group) => group.first_index, 84),
    { ...word<Group>("component", "component", part, (row) => row.component, 140), grows: true },
  ];
}

function kindsOf(level: Level): string {
  return Object.entries(level.kinds)
    .map(([kind, calls]) => `${titleOf(kind)} ${count(calls)}`)
    .join(", ");
}

function keysOf(level: Level): string {
  const [least, most] = level.kv_lens;
  if (most < 0) return UNKNOWN;
  return least === most ? count(most) : `${count(least)} to ${count(most)}`;
}

/** Names of modules, as many as the answer has. */
function modulesOf(level: Level): string[] {
  if (level.modules.length === 0) return ["nothing names one"];
  return level.modules_left > 0
    ? [...level.modules, `and ${count(level.modules_left)} more`]
    : level.modules;
}

export function levelColumns(levels: readonly Level[]): ListColumn<Level>[] {
  const unit = timeUnit(levels.map((level) => level.time_ns));
  const modules = (level: Level) => level.modules.length + level.modules_left;
  return [
    size("q_len", "queries", "Sequence length: queries", (level) => level.q_len, 92),
    {
      ...size<Level>("keys", "keys", "Fewest and most", (level) => level.kv_lens[1], 140),
      show: keysOf,
      exact: keysOf,
    },
    size("calls", "calls", "Attention calls", (level) => level.calls, 84),
    ...figures<Level>(unit),
    word("kinds", "kinds", "Calls of each kind", kindsOf, 180),
    size("modules", "modules", "Distinct modules that call at this length", modules, 84),
    {
      ...word<Level>("names", "which", "Their names", (level) => modulesOf(level).join(", "), 320),
      exact: (level) => modulesOf(level).join("\n"),
      grows: true,
    },
  ];
}
