// The paper's figures from what was measured; what is cited is drawn hollow or hatched.

import type { Paper, SettingPanels } from "../../api/paper";
import type { Mode } from "../../theme/mode";
import { axes, frames, growth, lengths, sizes } from "./growing";
import type { Drawn } from "./model";
import { operators, quality, roofline, speedups } from "./systems";

type Builder = (paper: Paper, measured: SettingPanels, mode: Mode) => Drawn;

/** By the id of the figure. What has no runs has no panels. */
export const FIGURES: Readonly<Record<string, Builder>> = {
  quality: (paper, _, mode) => quality(paper.figures.cited, mode),
  roofline: (paper, { roofline: panel }, mode) => roofline(paper, panel, mode),
  operators,
  speedups,
  lengths,
  sizes,
  growth,
  axes,
  frames,
};
