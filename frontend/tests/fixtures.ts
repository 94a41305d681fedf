// Small answers of the routes, consistent in themselves.

import type {
  CategoryBar,
  CategoryRow,
  Comparison,
  Difference,
  Figures,
  Gap,
  ModuleRow,
  Operators,
  Overview,
  Row,
  Run,
  RunBar,
  Step,
  Timeline,
} from "../src/api/types";

export function figures(sum_ns: number, change: Partial<Figures> = {}): Figures {
  return {
    sum_ns,
    busy_ns: sum_ns,
    unlinked_ns: 0,
    share: 0,
    launches: 1,
    host_launches: 1,
    calls: 1,
    ...change,
  };
}

export function row(name: string, level: Row["level"], sum_ns: number, children: Row[] = []): Row {
  return { ...figures(sum_ns), name, level, rule: `op ${name}`, children };
}

export function category(name: string, sum_ns: number, children: Row[] = []): CategoryRow {
  return { ...figures(sum_ns), category: name, children };
}

export function operators(change: Partial<Operators> = {}): Operators {
  return {
    schema_version: 1,
    view: "operators",
    trace: "worker0.pt.trace.json",
    base_ns: "1700000000000000000",
    rank: null,
    basis: "device",
    basis_sum_ns: 3_000_000,
    device_sum_ns: 3_000_000,
    device_busy_ns: 2_900_000,
    wall_ns: 4_000_000,
    unlinked_ns: 0,
    devices: [{ index: 0, name: "GPU", sum_ns: 3_000_000, busy_ns: 2_900_000 }],
    categories: [
      category("Attention", 2_000_000, [
        row("aten::flash", "op", 2_000_000, [row("flash_fwd_kernel", "kernel", 2_000_000)]),
      ]),
      category("Linear", 1_000_000, [
        row("aten::mm", "op", 1_000_000, [row("ampere_sgemm", "kernel", 1_000_000)]),
      ]),
    ],
    passes: [],
    components: [],
    modules: [],
    warnings: [],
    ...change,
  };
}

export function bar(name: string, sum_ns: number, change: Partial<CategoryBar> = {}): CategoryBar {
  return {
    category: name,
    sum_ns,
    unlinked_ns: 0,
    share: 0,
    relative: null,
    delta_ns: 0,
    speedup: null,
    ...change,
  };
}

export function runBar(run: string, change: Partial<RunBar> = {}): RunBar {
  return {
    run,
    basis: "device",
    basis_sum_ns: 1_000_000,
    relative: 1,
    speedup: 1,
    device_sum_ns: 1_000_000,
    device_busy_ns: 1_000_000,
    wall_ns: 2_000_000,
    unlinked_ns: 0,
    categories: [],
    differences: [],
    warnings: [],
    ...change,
  };
}

/** A row of two runs, with what is below it. */
export function difference(
  name: string,
  level: Difference["level"],
  [base_sum_ns, sum_ns]: readonly [number, number],
  children: Difference[] = [],
): Difference {
  const [base_calls, calls] = [base_sum_ns > 0 ? 1 : 0, sum_ns > 0 ? 1 : 0];
  return {
    name,
    level,
    base_sum_ns,
    sum_ns,
    delta_ns: sum_ns - base_sum_ns,
    speedup: base_sum_ns > 0 && sum_ns > 0 ? base_sum_ns / sum_ns : null,
    base_calls,
    calls,
    base_launches: base_calls,
    launches: calls,
    children,
  };
}

/** A run that attention takes most of, and one where fusing it has made it three times as fast. */
export function comparison(): Comparison {
  return {
    schema_version: 1,
    view: "compare",
    base: "math",
    runs: [
      runBar("math", {
        basis_sum_ns: 10_000_000,
        categories: [
          bar("Attention", 6_000_000, { share: 0.6, relative: 0.6, speedup: 1 }),
          bar("Convolution", 4_000_000, {
            share: 0.4,
            relative: 0.4,
            speedup: 1,
            unlinked_ns: 1_000_000,
          }),
        ],
        unlinked_ns: 1_000_000,
      }),
      runBar("fused", {
        basis_sum_ns: 6_000_000,
        relative: 0.6,
        speedup: 10 / 6,
        categories: [
          bar("Attention", 2_000_000, {
            share: 1 / 3,
            relative: 0.2,
            delta_ns: -4_000_000,
            speedup: 3,
          }),
          bar("Convolution", 4_000_000, { share: 2 / 3, relative: 0.4, speedup: 1 }),
        ],
        differences: [
          difference(
            "Attention",
            "category",
            [6_000_000, 2_000_000],
            [
              difference("aten::bmm", "op", [6_000_000, 0]),
              difference("aten::flash", "op", [0, 2_000_000]),
            ],
          ),
          difference("Convolution", "category", [4_000_000, 4_000_000]),
        ],
      }),
    ],
    warnings: [],
  };
}

export function run(id: string, change: Partial<Run> = {}): Run {
  return {
    id,
    label: id,
    run: id,
    file: `${id}.json`,
    size_bytes: 1000,
    state: "unread",
    read_bytes: 0,
    error: null,
    ...change,
  };
}

export function moduleRow(name: string): ModuleRow {
  return { ...figures(1_000_000), path: name, name, depth: 0, self_ns: 0, categories: {} };
}

export function step(index: number): Step {
  return { index, name: `ProfilerStep#${index}`, start_ns: index * 100, dur_ns: 100 };
}

export function gap(change: Partial<Gap> = {}): Gap {
  return {
    device: 0,
    start_ns: 0,
    dur_ns: 300_000,
    before: "",
    after: "flash_fwd_kernel",
    cause: "launch",
    reason: "the CPU had not launched the next kernel yet",
    cpu: [{ name: "aten::to", kind: "op", overlap_ns: 200_000 }],
    ...change,
  };
}

/** A device that is busy for 600 µs of a millisecond, in two bins. */
export function overview(change: Partial<Overview> = {}): Overview {
  return {
    schema_version: 1,
    view: "overview",
    trace: "worker0.pt.trace.json",
    base_ns: "1700000000000000000",
    rank: null,
    world_size: null,
    basis: "device",
    wall_ns: 1_000_000,
    basis_sum_ns: 700_000,
    unlinked_ns: 0,
    devices: [
      {
        index: 0,
        name: "GPU",
        sum_ns: 700_000,
        busy_ns: 600_000,
        idle_ns: 400_000,
        busy_share: 0.6,
        streams: 1,
      },
    ],
    categories: { Attention: 500_000, Linear: 200_000 },
    steps: [],
    strip: {
      start_ns: 0,
      bin_ns: 500_000,
      bins: 2,
      categories: ["Attention", "Linear"],
      busy_ns: [
        [100_000, 400_000],
        [0, 200_000],
      ],
      device_busy_ns: [100_000, 500_000],
    },
    waiting: [{ cause: "launch", gaps: 2, sum_ns: 400_000, share: 0.4 }],
    gaps: [gap()],
    limit: "launch",
    sentence: "The device is idle 40 % of the time.",
    workload: null,
    components: [],
    peak_memory_bytes: null,
    libraries: {},
    notes: [],
    warnings: [],
    ...change,
  };
}

/** Finer bins from the middle of that millisecond on. */
export function timeline(): Timeline {
  return {
    schema_version: 1,
    view: "timeline",
    trace: "worker0.pt.trace.json",
    strip: {
      start_ns: 500_000,
      bin_ns: 25_000,
      bins: 4,
      categories: ["Attention", "Linear"],
      busy_ns: [
        [25_000, 20_000, 25_000, 25_000],
        [5_000, 0, 0, 10_000],
      ],
      device_busy_ns: [25_000, 20_000, 25_000, 25_000],
    },
  };
}
