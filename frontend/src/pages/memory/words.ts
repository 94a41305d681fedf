// What the figures of the page are called, and the sentences around them.

import { exactSize, size } from "../../amounts";
import type { Memory, Stage } from "../../api/memory";
import type { Of } from "../../components/Answered";
import type { Fact } from "../../components/FactsTable";
import { count, factor, threeDigits } from "../../format";

export type Remembered = Of<Memory>;

/** What is alive but was allocated before the profiler looked. */
export const BEFORE = "before the recording";

/** A reason of the API as a sentence of its own. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1).replace(/\.?$/, ".")}`;
}

export function sizeOr(bytes: number | null): string {
  return bytes === null ? "–" : size(bytes);
}

export function exactOr(bytes: number | null): string {
  return bytes === null ? "not known" : exactSize(bytes);
}

function bytesFact(
  runs: readonly Remembered[],
  name: string,
  hint: string,
  of: (run: Memory) => number | null,
  times?: (run: Memory) => number | null,
): Fact {
  return {
    name,
    hint,
    values: runs.map(({ data }) => {
      const bytes = of(data);
      if (bytes === null) return null;
      const ratio = times?.(data) ?? null;
      const text = ratio === null ? size(bytes) : `${size(bytes)} (${factor(ratio)})`;
      return { text, exact: exactSize(bytes) };
    }),
  };
}

function fact(
  runs: readonly Remembered[],
  name: string,
  hint: string,
  of: (run: Memory) => string | null,
): Fact {
  return {
    name,
    hint,
    values: runs.map(({ data }) => {
      const text = of(data);
      return text === null ? null : { text, exact: text };
    }),
  };
}

const known = (facts: readonly Fact[]) =>
  facts.filter(({ values }) => values.some((value) => value !== null));

/** Score matrices of one step: by the formula, as the calls are, and as recorded. */
export function stepFacts(runs: readonly Remembered[]): Fact[] {
  const bytes = bytesFact.bind(null, runs);
  return known([
    bytes(
      "Paper's formula",
      "2·[2·Σ A·(A + text) over the stages but the deepest + A·(A + text)]: two calls a stage, " +
        "one in the deepest, one head, one sequence, 2 bytes",
      ({ similarity }) => similarity.paper_bytes,
    ),
    bytes(
      "Calls that were made",
      "In the paper's convention: one head, one sequence, 2 bytes (and how often the formula)",
      ({ similarity }) => similarity.one_head_bytes,
      ({ similarity }) => similarity.one_head_over_paper,
    ),
    bytes(
      "With heads, batch and dtype",
      "The calls that were made, as they are (and how often the formula)",
      ({ similarity }) => similarity.real_bytes,
      ({ similarity }) => similarity.real_over_paper,
    ),
    bytes(
      "Recorded",
      "Inputs of the softmax that the trace shows; none where attention is fused",
      ({ similarity }) => similarity.recorded_bytes,
    ),
    bytes(
      "Allocated inside the calls",
      "As the allocator told: all that the calls allocated, added up",
      ({ similarity }) => similarity.measured_bytes,
    ),
    bytes(
      "Largest single call",
      "With its heads, batch and dtype: what a baseline holds at once",
      ({ similarity }) => similarity.largest_bytes,
    ),
    bytes(
      "Formula of one call",
      "2·A·(A + text): a self and a cross attention at the largest resolution",
      ({ similarity }) => similarity.paper_call_bytes,
    ),
    ...parameterFacts(runs),
  ]);
}

/** What the formula takes. */
function parameterFacts(runs: readonly Remembered[]): Fact[] {
  const text = fact.bind(null, runs);
  return [
    text("Image", "As annotated", ({ image_size_px }) =>
      image_size_px === null ? null : `${count(image_size_px)} px`,
    ),
    text("Latent", "Positions of the largest spatial self attention", ({ similarity }) => {
      const found = similarity.parameters;
      if (found === null) return null;
      const side = found.latent_side;
      return side === null
        ? `${count(found.positions)} positions`
        : `${count(side)} × ${count(side)}`;
    }),
    text("Depth", "Stages below the first that has attention", ({ similarity }) =>
      similarity.parameters ? count(similarity.parameters.depth) : null,
    ),
    text("Shrinks by", "d: by how much a side shrinks from stage to stage", ({ similarity }) =>
      similarity.parameters ? threeDigits(similarity.parameters.d) : null,
    ),
    text("Text tokens", "Keys of cross attention", ({ similarity }) =>
      similarity.parameters ? count(similarity.parameters.text_tokens) : null,
    ),
    text("Steps", "Runs of the denoiser in the recording", ({ similarity }) =>
      similarity.component === null ? null : count(similarity.steps),
    ),
  ];
}

/** What fused attention avoids, or would. */
export function fusedFacts(runs: readonly Remembered[]): Fact[] {
  const bytes = bytesFact.bind(null, runs);
  const text = fact.bind(null, runs);
  const isAny = (which: "fused" | "unfused") => (run: Memory) => run.fused[which].calls > 0;
  const only =
    (which: "fused" | "unfused", of: (run: Memory) => number) =>
    (run: Memory): number | null =>
      isAny(which)(run) ? of(run) : null;
  return known([
    text("Fused calls", "Forward calls that write no score matrix", ({ fused }) =>
      count(fused.fused.calls),
    ),
    bytes(
      "Matrices avoided",
      "Score matrices that these calls did not write",
      only("fused", (run) => run.fused.fused.matrix_bytes),
    ),
    bytes(
      "Traffic avoided",
      "Four passes over each matrix: written, read and written by the softmax, read",
      only("fused", (run) => run.fused.fused.traffic_bytes),
    ),
    bytes(
      "Kept instead",
      "A log-sum-exp: 4 bytes a query, head and sequence",
      only("fused", (run) => run.fused.fused.kept_bytes),
    ),
    bytes(
      "Largest avoided",
      "Of a single call: what would lie in memory at once",
      only("fused", (run) => run.fused.fused.largest_bytes),
    ),
    text("Calls step by step", "Forward calls that write their score matrix", ({ fused }) =>
      count(fused.unfused.calls),
    ),
    bytes(
      "Matrices written",
      "Score matrices of these calls",
      only("unfused", (run) => run.fused.unfused.matrix_bytes),
    ),
    bytes(
      "Traffic of them",
      "Four passes over each matrix: written, read and written by the softmax, read",
      only("unfused", (run) => run.fused.unfused.traffic_bytes),
    ),
    bytes(
      "Fused would keep",
      "A log-sum-exp in place of the matrices",
      only("unfused", (run) => run.fused.unfused.kept_bytes),
    ),
    bytes(
      "Largest written",
      "Of a single call: what lies in memory at once",
      only("unfused", (run) => run.fused.unfused.largest_bytes),
    ),
    text("Calls of unknown size", "Without lengths, heads or dtype; no figure has them", (run) => {
      const unknown = run.fused.fused.calls_unknown + run.fused.unfused.calls_unknown;
      return unknown > 0 ? count(unknown) : null;
    }),
    text("Calls of unknown kind", "Nothing tells whether they write their matrices", ({ fused }) =>
      fused.other_calls > 0 ? count(fused.other_calls) : null,
    ),
  ]);
}

/** What decoding keeps, and what was written down of the run. */
export function restFacts(runs: readonly Remembered[]): Fact[] {
  const bytes = bytesFact.bind(null, runs);
  return known([
    bytes(
      "Parameters",
      "Of all components, as annotated",
      ({ declared }) => declared?.parameter_bytes ?? null,
    ),
    bytes(
      "Peak on the device",
      "Highest memory allocated while recording, as annotated",
      ({ declared }) => declared?.peak_memory_bytes ?? null,
    ),
    bytes(
      "Beyond parameters",
      "Activations, caches and what the allocator adds",
      ({ declared }) => declared?.beyond_parameters_bytes ?? null,
    ),
    bytes(
      "KV cache a token",
      "Keys and values of all layers and sequences",
      ({ kv_cache }) => kv_cache?.bytes_per_token ?? null,
    ),
    fact(runs, "KV cache grows", "From the first to the last length of decoding", ({ kv_cache }) =>
      kv_cache === null
        ? null
        : `${size(kv_cache.from_bytes)} to ${size(kv_cache.to_bytes)} at ${count(kv_cache.from_length)} to ${count(kv_cache.to_length)} tokens`,
    ),
  ]);
}

/** Queries and keys of a stage: 4,096 × 77; a range of keys where they grow. */
export function lengthsOf({ q_len, kv_len, kv_len_least }: Stage): string {
  const keys =
    kv_len === kv_len_least ? count(kv_len) : `${count(kv_len_least)} to ${count(kv_len)}`;
  return `${count(q_len)} × ${keys}`;
}

export const CAPTION =
  "A score matrix (the paper: similarity matrix) holds the products of every query with every " +
  "key. The paper's formula counts two calls a stage and one in the deepest, of one head, one " +
  "sequence and 2 bytes a number; “calls that were made” counts those of the recording in the " +
  "same convention, and the next with their heads, batch and dtype. Computed for other sizes " +
  "from the calls of the run, recorded only where the mark is a square. Lines are power laws " +
  "fitted to the logarithms. From the trace file.";

export const SWEEP_CAPTION =
  "Points are the chosen runs. Lines are power laws fitted to the logarithms, dotted beyond the " +
  "data. Peak is the highest memory that the allocator told while recording, else as annotated. " +
  "From the trace files.";
