// Where a call is in the timeline of the overview.

import type { AttentionCall } from "../../api/attention";
import { within } from "../../drawing/stretch";
import type { Range } from "../../state/url";
import { SHORTEST_NS } from "../overview/range";

/** So many times its own time are shown around a call. */
const AROUND = 8;

/** The stretch around `call` of a timeline that starts at `start_ns`; null where it is all. */
export function timelineRange(
  call: AttentionCall,
  start_ns: number,
  wall_ns: number,
): Range | null {
  const from = (call.device_start_ns ?? call.start_ns) - start_ns;
  const time = call.device_ns ?? call.cpu_ns;
  const middle = from + time / 2;
  const half = (AROUND * time) / 2;
  return within(middle - half, middle + half, [0, wall_ns], SHORTEST_NS);
}
