// What every long table has: titles that sort, and the part of it that is in view.

import { useLayoutEffect, useState } from "preact/hooks";
import type { Sort } from "../state/url";

/** Pixels, as in the style sheet. */
export const ROW_HEIGHT = 24;

/** Rows in the document above and below those in view. */
export const OVERSCAN = 12;

/** A title that sorts; without `onSort` it is only a title. */
export function Head(props: {
  id: string;
  title: string;
  hint: string;
  isNumber: boolean;
  sort: Sort | null;
  onSort: ((sort: Sort | null) => void) | null;
}) {
  const { id, sort, isNumber, onSort } = props;
  const isSorted = sort?.column === id;
  const direction = isSorted ? (sort.descending ? "descending" : "ascending") : "none";
  // Numbers begin with the largest, names with A; a third click gives the first order back.
  const next = isSorted
    ? sort.descending === isNumber
      ? { column: id, descending: !isNumber }
      : null
    : { column: id, descending: isNumber };
  return (
    <div role="columnheader" aria-sort={direction} class={isNumber ? "number" : "text"}>
      <button
        type="button"
        title={props.hint}
        disabled={onSort === null}
        onClick={() => onSort?.(next)}
      >
        {isSorted && <span class="arrow">{sort.descending ? "▼" : "▲"}</span>}
        {props.title}
      </button>
    </div>
  );
}

export interface View {
  top: number;
  height: number;
  width: number;
}

/** What part of the box is in view, kept up to date. */
export function useView(box: { current: HTMLDivElement | null }): View {
  const [view, setView] = useState<View>({ top: 0, height: 600, width: 1000 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () =>
      setView({
        top: element.scrollTop,
        height: element.clientHeight || 600,
        width: element.clientWidth || 1000,
      });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [box]);
  return view;
}
