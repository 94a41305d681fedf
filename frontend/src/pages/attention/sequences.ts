// A run with its sequence of attention calls.

import type { Sequence } from "../../api/attention";

export interface Sequenced {
  id: string;
  label: string;
  sequence: Sequence;
}
