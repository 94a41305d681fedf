// The buttons that zoom a timeline, and what is shown of it.

import { stretch } from "../drawing/axis";
import { type Stretch, zoomed } from "../drawing/stretch";

export function ZoomButtons(props: {
  /** The longest of the runs. */
  whole_ns: number;
  /** Null shows all; from the start of the timeline. */
  range: Stretch | null;
  least_ns: number;
  /** When the timeline starts. */
  start_ns: number;
  /** What else can be done, said where nothing is zoomed. */
  hint: string;
  onRange: (range: Stretch | null) => void;
}) {
  const { range, least_ns, start_ns, onRange } = props;
  const whole: Stretch = [0, props.whole_ns];
  const shown = range ?? whole;
  const zoom = (factor: number) =>
    onRange(zoomed(shown, factor, (shown[0] + shown[1]) / 2, whole, least_ns));
  return (
    <fieldset class="zoom" aria-label="Zoom">
      <button
        type="button"
        aria-label="Zoom in"
        title="Zoom in: drag over the strip, or Ctrl and the wheel, or +"
        onClick={() => zoom(0.5)}
      >
        +
      </button>
      <button
        type="button"
        aria-label="Zoom out"
        title="Zoom out: Ctrl and the wheel, or −"
        disabled={range === null}
        onClick={() => zoom(2)}
      >
        −
      </button>
      {range === null ? (
        <span class="soft">{props.hint}</span>
      ) : (
        <>
          <button
            type="button"
            title="Double click, or Escape. Shift and the wheel, a drag or an arrow key moves along."
            onClick={() => onRange(null)}
          >
            Show all
          </button>
          <span class="soft">{stretch(start_ns + range[0], start_ns + range[1])}</span>
        </>
      )}
    </fieldset>
  );
}
