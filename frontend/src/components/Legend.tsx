// The categories and their colours.

import { hatch, inOrder, paintOf, UNLINKED_FILL, UNLINKED_NAME } from "../theme/colors";

export function Legend(props: { names: readonly string[]; hasUnlinked: boolean }) {
  return (
    <ul class="legend" aria-label="Colours">
      {inOrder(props.names).map((name) => {
        const paint = paintOf(name);
        return (
          <li key={name}>
            <i
              class="swatch"
              style={{ background: paint.fill, borderColor: paint.outline ?? paint.fill }}
            />
            {name}
          </li>
        );
      })}
      {props.hasUnlinked && (
        <li>
          <i class="swatch" style={{ background: hatch(UNLINKED_FILL), borderColor: "#999999" }} />
          {UNLINKED_NAME}
        </li>
      )}
    </ul>
  );
}
