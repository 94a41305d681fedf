import { describe, expect, test } from "vitest";
import type { Attention, Level, Sequence } from "../src/api/attention";
import { fromText } from "../src/drawing/stretch";
import {
  askedFor,
  drawnOf,
  joined,
  keysOf,
  placeOfCall,
  placesOf,
  pointsOf,
  wholeOf,
} from "../src/pages/attention/drawn";
import { drawnCsv, levelsCsv } from "../src/pages/attention/export";
import { barAt, barsOf } from "../src/pages/attention/histogram";
import { legendOf } from "../src/pages/attention/looks";
import { lengthAxis } from "../src/pages/attention/plot";
import { timelineRange } from "../src/pages/attention/timeline";
import { firstPeriod, markedOf, stretchOf, viewOf, withView } from "../src/pages/attention/view";
import { detail, nothingIn } from "../src/pages/attention/words";

const UNET = { component: "unet", implementation: "flash", axis: "spatial" };

/** `lengths` calls, every second one cross attention over 77 keys; their indices are odd. */
function sequenceOf(lengths: readonly number[], places = lengths.map((_, at) => at)): Sequence {
  return {
    trace: "a.json",
    basis: "device",
    calls: lengths.length,
    without_shapes: 0,
    time_ns: 100 * lengths.length,
    q_range: lengths.length > 0 ? [Math.min(...lengths), Math.max(...lengths)] : null,
    kv_range: lengths.length > 0 ? [77, Math.max(77, ...lengths)] : null,
    period: null,
    growth: null,
    levels: [],
    levels_left: 0,
    sentence: "",
    warnings: [],
    series: {
      first: 0,
      last: (places.at(-1) ?? 0) as number,
      total: (places.at(-1) ?? -1) + 1,
      each: 1,
      place: places,
      index: places.map((place) => 2 * place + 1),
      start_ns: places.map((place) => 1000 * place),
      q_len: [...lengths],
      kv_len: lengths.map((length, at) => (at % 2 === 1 ? 77 : length)),
      time_ns: lengths.map(() => 100),
      group: lengths.map((_, at) => at % 2),
      groups: [
        { ...UNET, kind: "self" },
        { ...UNET, kind: "cross" },
      ],
    },
  };
}

function levelOf(q_len: number, calls: number, time_ns: number): Level {
  const kinds = { self: calls };
  return {
    q_len,
    kv_lens: [77, q_len],
    calls,
    time_ns,
    share: 0.5,
    kinds,
    modules: [],
    modules_left: 0,
  };
}

describe("what the link says", () => {
  test("is read back as it was written, each axis with a stretch of its own", () => {
    let of = withView({ call: "7" }, "calls", { isLog: false, weight: "calls", cut: [10, 90] });
    of = withView(of, "time", { along: "time", cut: [5000, 9000] });
    expect(viewOf(of)).toEqual({ along: "time", isLog: false, weight: "calls", cut: [5000, 9000] });
    const back = withView(of, "time", { along: "calls" });
    expect(viewOf(back).cut).toEqual([10, 90]);
    expect(markedOf(back)).toBe(7);
  });

  test("means nothing where it was made by hand", () => {
    const of = { attention_calls: "9-2", attention_y: "cubic", call: "-1 or 1=1" };
    expect(viewOf(of)).toEqual({ along: "calls", isLog: true, weight: "time", cut: null });
    expect(markedOf(of)).toBeNull();
  });
});

describe("the first period", () => {
  const period = { component: "unet", first: 8, last: 71, length: 16, repeats: 4, edits: 0 };

  test("is what one repeat takes of the sequence", () => {
    expect(firstPeriod({ ...period, lengths: [] })).toEqual([8, 23]);
    expect(stretchOf("period", { ...period, lengths: [] })).toEqual([8, 23]);
  });

  test("takes the calls of others between along", () => {
    expect(firstPeriod({ ...period, last: 87, lengths: [] })).toEqual([8, 27]);
  });

  test("of calls that are all alike is nothing to cut to", () => {
    expect(firstPeriod({ ...period, length: 1, repeats: 64, lengths: [] })).toBeNull();
    expect(stretchOf("period", null)).toBeNull();
  });
});

describe("what is drawn", () => {
  test("tells queries from keys and one kind from another", () => {
    const sequence = sequenceOf([64, 64, 4096]);
    const drawn = drawnOf(sequence.series);
    const keys = keysOf([drawn]);
    const points = pointsOf(drawn, "calls", keys);
    expect(Array.from(points.second ?? [])).toEqual([64, 77, 4096]);
    expect(Array.from(points.look, (at) => keys[at as number]?.kind)).toEqual([
      "self",
      "cross",
      "self",
    ]);
  });

  test("has the finer calls in place of the coarse ones there, and each place once", () => {
    const coarse = drawnOf(sequenceOf([1, 2, 3, 4, 5], [0, 10, 20, 30, 40]).series);
    const fine = drawnOf(sequenceOf([7, 8, 9, 7], [18, 19, 20, 21]).series);
    const both = joined(coarse, fine);
    expect(both.place).toEqual([0, 10, 18, 19, 20, 21, 30, 40]);
    expect(both.q_len).toEqual([1, 2, 7, 8, 9, 7, 4, 5]);
    expect(both.of).toHaveLength(8);
    expect(placeOfCall(both, 39)).toBe(3);
    expect(placeOfCall(both, 40)).toBeNull();
  });

  test("has looks for kinds that only the finer calls have", () => {
    const coarse = drawnOf(sequenceOf([1]).series);
    const keys = keysOf([joined(coarse, drawnOf(sequenceOf([7, 8], [5, 6]).series))]);
    expect(keysOf([coarse]).map((key) => key.kind)).toEqual(["self"]);
    expect(keys.map((key) => key.kind)).toEqual(["self", "cross"]);
  });

  test("over time is asked for by the calls that start then", () => {
    const { series } = sequenceOf([1, 2, 3, 4, 5], [0, 10, 20, 30, 40]);
    expect(placesOf(series, "time", [9500, 20500])).toEqual([0, 30]);
    expect(placesOf(series, "time", [35_000, 99_000])).toEqual([30, 40]);
    expect(placesOf(series, "calls", [12, 18])).toEqual([12, 18]);
  });

  test("is asked for with room, and not again while what is here will do", () => {
    const asked = askedFor([100, 199], null, 1000);
    expect(asked).toEqual([50, 249]);
    expect(askedFor([120, 219], asked, 1000)).toBe(asked);
    expect(askedFor([200, 299], asked, 1000)).not.toBe(asked);
    expect(askedFor([150, 160], asked, 1000)).toEqual([144, 166]);
    expect(askedFor([0, 999], asked, 1000)).toEqual([0, 999]);
  });

  test("spans all calls, and all time to the end of the last", () => {
    const sequence = sequenceOf([1, 2, 3]);
    expect(wholeOf(sequence, "calls")).toEqual([0, 2]);
    expect(wholeOf(sequence, "time")).toEqual([0, 2100]);
    expect(wholeOf(sequenceOf([5]), "calls")).toEqual([0, 1]);
  });
});

test("kinds and axes are told apart by shape and inside, and look the same in both themes", () => {
  const keys = ["self", "cross", "joint", null].flatMap((kind) =>
    ["sequence", "spatial", "temporal", "spatiotemporal"].map((axis) => ({ kind, axis })),
  );
  for (const mode of ["light", "dark"] as const) {
    const shapes = legendOf(keys, mode).map(({ look }) => `${look.shape} ${look.inside}`);
    expect(new Set(shapes).size).toBe(16);
  }
});

describe("the distribution", () => {
  const sequence = sequenceOf([64, 4096]);
  const input = {
    levels: [levelOf(4096, 10, 900), levelOf(4095, 1, 50), levelOf(64, 30, 50)],
    weight: "time" as const,
    y: lengthAxis([{ id: "a", label: "a", sequence }], true),
    mode: "light" as const,
    width: 200,
    height: 320,
  };

  test("adds up lengths that fall on the same pixels, and loses none", () => {
    const bars = barsOf(input);
    expect(bars.map((bar) => bar.value)).toEqual([950, 50]);
    expect(barsOf({ ...input, weight: "calls" }).map((bar) => bar.value)).toEqual([11, 30]);
    expect(bars.flatMap((bar) => bar.levels)).toHaveLength(3);
  });

  test("has its bars at their lengths", () => {
    const [long, short] = barsOf(input);
    expect(barAt(barsOf(input), (long?.top ?? 0) + 1)?.levels[0]?.q_len).toBe(4096);
    expect(long?.top ?? 0).toBeLessThan(short?.top ?? 0);
    expect(barAt(barsOf(input), -50)).toBeNull();
  });
});

test("the timeline is shown around a call's kernels, not around its launch", () => {
  const call = { start_ns: 1000, device_start_ns: 500_000, device_ns: 10_000, cpu_ns: 5 };
  const [from, to] = timelineRange(call as never, 100, 1_000_000) ?? [0, 0];
  expect(from).toBeLessThan(499_900);
  expect(to).toBeGreaterThan(509_900);
  expect(timelineRange({ ...call, device_ns: 900_000 } as never, 100, 1_000_000)).toBeNull();
});

describe("words", () => {
  const group = { batch: 1, heads: 8, kv_heads: 8, q_len: 64, kv_len: 64, head_dim: 64 };
  const attention = {
    basis: "device",
    time_ns: 1_500_000,
    category_ns: 2_000_000,
    calls_total: 12,
    without_shapes: 2,
    groups: [
      { ...group, phase: "denoise" },
      { ...group, phase: "encode" },
      { ...group, kv_len: 77 },
      { ...group, q_len: null },
    ],
  } as unknown as Attention;

  test("count a shape once, however many components have it, and no shape that is unknown", () => {
    expect(detail(attention, null)).toMatch(/^2 distinct shapes; /);
    expect(detail(attention, "math")).toMatch(/^math: /);
    expect(detail(attention, null)).toContain("2 of 12 calls are without known lengths");
  });

  test("of an empty chart say what would fill it", () => {
    const none = sequenceOf([]);
    expect(nothingIn(sequenceOf([1]), false)).toBeNull();
    expect(nothingIn({ ...none, without_shapes: 3 }, false)?.text).toContain("record_shapes=True");
    expect(nothingIn(none, true)?.text).toContain("filters");
    expect(nothingIn(none, false)?.text).toContain("record_shapes=True");
  });
});

describe("what is saved", () => {
  test("are the calls in the stretch that is shown, unknown keys left empty", () => {
    const sequence = sequenceOf([64, 64, 4096, 64]);
    sequence.series.kv_len[2] = -1;
    const parts = [{ run: { id: "a", label: "math", sequence }, drawn: drawnOf(sequence.series) }];
    const view = { ...viewOf({}), cut: fromText("1-2") };
    const [header, ...lines] = drawnCsv(parts, view).trim().split("\r\n");
    expect(header).toMatch(/^run,trace,basis,place,index,start_ns,q_len,kv_len,time_ns,/);
    expect(lines).toEqual([
      "math,a.json,device,1,3,1000,64,77,100,unet,cross,spatial,flash",
      "math,a.json,device,2,5,2000,4096,,100,unet,self,spatial,flash",
    ]);
  });

  test("of levels say how many modules are left out", () => {
    const level = { ...levelOf(64, 2, 5), modules: ["a.attn1"], modules_left: 4 };
    expect(levelsCsv([level])).toContain("a.attn1; 4 more");
  });
});
