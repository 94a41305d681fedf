// From the sizes of a run, or of several, to the curves of the chart.

import type { GrowthFit, GrowthPoint, Memory, MemoryGrowth } from "../../api/memory";
import type { LawSeries, PowerLaw } from "../../drawing/powerlaws";
import type { Inside, Shape } from "../../theme/kinds";
import type { Mode } from "../../theme/mode";

export type Figure =
  | "paper_bytes"
  | "bytes"
  | "self_bytes"
  | "real_bytes"
  | "recorded_bytes"
  | "peak_bytes";

interface Curve {
  of: Figure;
  title: string;
  hint: string;
  light: string;
  dark: string;
  shape: Shape;
  inside: Inside;
  isDashed: boolean;
}

export const CURVES: readonly Curve[] = [
  {
    of: "paper_bytes",
    title: "paper's formula",
    hint: "Two calls a stage, one in the deepest; one head, one sequence, 2 bytes",
    light: "#D55E00",
    dark: "#F0803C",
    shape: "disc",
    inside: "ring",
    isDashed: true,
  },
  {
    of: "bytes",
    title: "calls that were made",
    hint: "In the paper's convention: one head, one sequence, 2 bytes",
    light: "#0072B2",
    dark: "#56B4E9",
    shape: "disc",
    inside: "filled",
    isDashed: false,
  },
  {
    of: "self_bytes",
    title: "of these, self attention",
    hint: "Without cross attention, whose keys do not grow with the image",
    light: "#5f6368",
    dark: "#b0b4ba",
    shape: "triangle",
    inside: "filled",
    isDashed: true,
  },
  {
    of: "real_bytes",
    title: "with heads, batch and dtype",
    hint: "The calls that were made, as they are",
    light: "#009E73",
    dark: "#2CC79B",
    shape: "diamond",
    inside: "filled",
    isDashed: false,
  },
  {
    of: "recorded_bytes",
    title: "recorded",
    hint: "Inputs of the softmax that the trace shows",
    light: "#212121",
    dark: "#eeeeee",
    shape: "square",
    inside: "ring",
    isDashed: false,
  },
  {
    of: "peak_bytes",
    title: "peak memory",
    hint: "Highest memory allocated while recording",
    light: "#7F3C8D",
    dark: "#C48AD0",
    shape: "square",
    inside: "filled",
    isDashed: false,
  },
];

/** A size of the chart, and where it comes from. */
export interface SizedPoint extends Partial<Record<Figure, number | null>> {
  image_size_px: number | null;
  latent_side: number;
  /** The run that it was recorded in; null where it is computed. */
  run: string | null;
}

export interface Grown {
  points: readonly SizedPoint[];
  fits: readonly GrowthFit[];
  sentence: string;
  /** px or latent: what the sizes are. */
  unit: "px" | "latent";
}

export interface GrownSeries extends LawSeries {
  of: Figure;
  sized: readonly SizedPoint[];
}

function unitOf(points: readonly { image_size_px: number | null }[]): "px" | "latent" {
  return points.every((point) => point.image_size_px !== null) ? "px" : "latent";
}

export function sizeOf(point: SizedPoint, unit: "px" | "latent"): number {
  return unit === "px" ? (point.image_size_px ?? 0) : point.latent_side;
}

/** The sizes that were computed from one run, with what it recorded at its own. */
export function ofRun({ growth, similarity }: Memory, run: string): Grown {
  const { points, fits, sentence } = growth;
  return {
    fits,
    sentence,
    unit: unitOf(points),
    points: points.map((point: GrowthPoint) => ({
      ...point,
      run: point.recorded ? run : null,
      recorded_bytes: point.recorded ? similarity.recorded_bytes : null,
    })),
  };
}

export function ofRuns({ points, fits, sentence }: MemoryGrowth): Grown {
  return { points, fits, sentence, unit: unitOf(points) };
}

/** Whether there is more than one size to draw a curve through. */
export function isSweep(growth: MemoryGrowth | null): growth is MemoryGrowth {
  return new Set(growth?.points.map((point) => point.latent_side)).size > 1;
}

/** The fits of a figure, those to the smallest sizes first. */
export function fitsOf(grown: Grown, of: Figure): GrowthFit[] {
  return grown.fits
    .filter((fit) => fit.of === of && fit.exponent !== null)
    .toSorted((a, b) => a.from_size - b.from_size);
}

export function colorOf({ light, dark }: Curve, mode: Mode): string {
  return mode === "light" ? light : dark;
}

function lawOf({ exponent, factor, from_size, to_size }: GrowthFit): PowerLaw[] {
  if (exponent === null || factor === null) return [];
  return [{ exponent, factor, fitted: [from_size, to_size] }];
}

export function seriesOf(grown: Grown, mode: Mode): GrownSeries[] {
  return CURVES.flatMap((curve) => {
    const sized = grown.points.filter((point) => (point[curve.of] ?? 0) > 0);
    if (sized.length === 0) return [];
    return [
      {
        ...curve,
        name: curve.title,
        color: colorOf(curve, mode),
        points: sized.map((point) => ({
          x: sizeOf(point, grown.unit),
          y: point[curve.of] ?? 0,
        })),
        // What was recorded lies on another curve, which its line would cover.
        laws: curve.of === "recorded_bytes" ? [] : fitsOf(grown, curve.of).flatMap(lawOf),
        sized,
      },
    ];
  });
}
