// Small answers of the routes of the page Speedup, consistent in themselves.

import type {
  AlignedCall,
  AlignedWindow,
  Pairing,
  Prediction,
  RunSide,
  ShapeSpeedup,
  Speedup,
  UnalignedCall,
} from "../src/api/speedup";

export function side(change: Partial<RunSide> = {}): RunSide {
  return {
    trace: "worker0.pt.trace.json",
    devices: ["GPU"],
    attention: null,
    wall_ns: 12_000_000,
    sum_ns: 10_000_000,
    busy_ns: 9_000_000,
    attention_ns: 6_000_000,
    calls: 2,
    implementations: { math: 2 },
    dtypes: { float16: 2 },
    steps: 0,
    ...change,
  };
}

export function shape(change: Partial<ShapeSpeedup> = {}): ShapeSpeedup {
  return {
    by: "shape",
    name: "2 × 8 heads, 64 × 32, width 16",
    calls: 2,
    baseline_ns: 6_000_000,
    fused_ns: 2_000_000,
    speedup: 3,
    baseline_median_ns: 3_000_000,
    fused_median_ns: 1_000_000,
    median_speedup: 3,
    low: 2,
    high: 4,
    pass: "forward",
    kind: "self",
    axis: "spatial",
    batch: 2,
    heads: 8,
    kv_heads: 8,
    q_len: 64,
    kv_len: 32,
    head_dim: 16,
    v_head_dim: 16,
    dtype: "float16",
    causal: false,
    mask: "none",
    baseline_implementation: "math",
    fused_implementation: "flash",
    ...change,
  };
}

/** Attention goes from 6 to 2 ms, Linear from 4 to 5, and 1 ms that overlapped is gone. */
export function speedup(change: Partial<Speedup> = {}): Speedup {
  const attention = { attention_baseline_ns: 6_000_000, attention_fused_ns: 2_000_000 };
  const shared = { ...attention, module_speedup: 3 };
  const linear = {
    name: "Linear",
    kind: "category",
    baseline_ns: 4_000_000,
    fused_ns: 5_000_000,
    delta_ns: 1_000_000,
  };
  return {
    schema_version: 1,
    view: "speedup",
    mode: "measured",
    baseline: side(),
    fused: side({ sum_ns: 7_000_000, attention_ns: 2_000_000, implementations: { flash: 2 } }),
    roles: "the baseline computes 100 % of its attention time unfused",
    basis: "device",
    sentence: "End to end 1.43x in busy time.",
    end_to_end: [
      {
        name: "unprofiled",
        baseline_ns: 20_000_000,
        fused_ns: 16_000_000,
        speedup: 1.25,
        low: 1.2,
        high: 1.31,
      },
      {
        name: "sum",
        baseline_ns: 10_000_000,
        fused_ns: 7_000_000,
        speedup: 10 / 7,
        low: null,
        high: null,
      },
    ],
    module: [
      {
        scope: "category",
        calls: null,
        baseline_ns: 6_000_000,
        fused_ns: 2_000_000,
        speedup: 3,
      },
    ],
    amdahl: [
      {
        ...shared,
        measure: "sum",
        baseline_ns: 10_000_000,
        fused_ns: 7_000_000,
        attention_share: 0.6,
        predicted_ns: 6_000_000,
        predicted_speedup: 10 / 6,
        limit_ns: 4_000_000,
        limit_speedup: 2.5,
        measured_speedup: 10 / 7,
        difference_ns: 1_000_000,
        changes: [linear],
      },
      {
        ...shared,
        measure: "wall",
        baseline_ns: 12_000_000,
        fused_ns: 8_000_000,
        attention_share: 0.5,
        predicted_ns: 8_000_000,
        predicted_speedup: 1.5,
        limit_ns: 6_000_000,
        limit_speedup: 2,
        measured_speedup: 1.5,
        difference_ns: 0,
        changes: [
          {
            name: "Idle",
            kind: "idle",
            baseline_ns: 3_000_000,
            fused_ns: 1_000_000,
            delta_ns: -2_000_000,
          },
          linear,
          {
            name: "Overlap",
            kind: "overlap",
            baseline_ns: -1_000_000,
            fused_ns: 0,
            delta_ns: 1_000_000,
          },
        ],
      },
    ],
    bottleneck: { before: "Attention", before_share: 0.6, after: "Linear", after_share: 5 / 7 },
    categories: [
      {
        category: "Attention",
        baseline_ns: 6_000_000,
        fused_ns: 2_000_000,
        delta_ns: -4_000_000,
        baseline_share: 0.6,
        fused_share: 2 / 7,
        speedup: 3,
      },
      {
        category: "Linear",
        baseline_ns: 4_000_000,
        fused_ns: 5_000_000,
        delta_ns: 1_000_000,
        baseline_share: 0.4,
        fused_share: 5 / 7,
        speedup: 0.8,
      },
    ],
    groups: [{ ...shape(), by: "kind", name: "self" }],
    shapes: [shape()],
    aligned: 2,
    unaligned_baseline: 0,
    unaligned_fused: 0,
    unaligned_reasons: {},
    warnings: [],
    ...change,
  };
}

export function alignedCall(index: number): AlignedCall {
  return {
    baseline_index: index,
    fused_index: index + 10,
    pass: "forward",
    component: "unet",
    kind: "self",
    axis: "spatial",
    phase: "denoise",
    layer: index,
    step: 0,
    batch: 2,
    heads: 8,
    q_len: 64,
    kv_len: 32,
    head_dim: 16,
    baseline_implementation: "math",
    fused_implementation: "flash",
    baseline_start_ns: 0,
    fused_start_ns: 0,
    baseline_ns: 3_000_000,
    fused_ns: 1_000_000,
    speedup: 3,
    note: null,
  };
}

export function unalignedCall(index: number): UnalignedCall {
  const { pass, component, kind, axis, batch, heads, q_len, kv_len } = alignedCall(index);
  return {
    ...{ pass, component, kind, axis, batch, heads, q_len, kv_len },
    run: "baseline",
    index,
    implementation: "math",
    start_ns: 0,
    time_ns: 2_000_000,
    reason: "the fused run makes fewer calls",
  };
}

export function alignedWindow(calls: AlignedCall[]): AlignedWindow<AlignedCall> {
  return {
    schema_version: 1,
    view: "aligned",
    which: "aligned",
    total: calls.length,
    first: 0,
    sort: null,
    descending: false,
    calls,
  };
}

export function pairing(change: Partial<Pairing> = {}): Pairing {
  return {
    pairs: [{ baseline: "math", fused: "flash", reason: "the one is unfused" }],
    alone: {},
    ...change,
  };
}

export function prediction(change: Partial<Prediction> = {}): Prediction {
  return {
    schema_version: 1,
    view: "speedup",
    mode: "predicted",
    run: side(),
    basis: "device",
    source: null,
    sentence: "Attention takes 60 % of device time; if it cost nothing: 2.50x.",
    attention_share: 0.6,
    limit_speedup: 2.5,
    predicted: [],
    shapes: [],
    warnings: [],
    ...change,
  };
}
