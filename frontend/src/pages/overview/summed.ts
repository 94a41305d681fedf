// A run with its overview.

import type { Overview } from "../../api/types";

export interface Summed {
  id: string;
  label: string;
  overview: Overview;
}
