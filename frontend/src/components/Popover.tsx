// A button that opens a box below it. Esc, or a press elsewhere, closes the box.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export function Popover(props: {
  /** What the button says. */
  title: string;
  hint?: string;
  label: string;
  onOpen?: () => void;
  children: () => ComponentChildren;
}) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const toggle = useRef<HTMLButtonElement>(null);
  useAway(box, isOpen, () => setOpen(false));
  return (
    <div class="drop" ref={box}>
      <button
        ref={toggle}
        type="button"
        class="open-list"
        title={props.hint}
        aria-expanded={isOpen}
        onClick={() => {
          if (!isOpen) props.onOpen?.();
          setOpen(!isOpen);
        }}
      >
        {props.title} ▾
      </button>
      {isOpen && (
        <div
          class="popover"
          role="dialog"
          aria-label={props.label}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            setOpen(false);
            toggle.current?.focus();
          }}
        >
          {props.children()}
        </div>
      )}
    </div>
  );
}

/** Calls `onAway` when something outside of `box` is pressed. */
function useAway(
  box: { current: HTMLElement | null },
  isActive: boolean,
  onAway: () => void,
): void {
  const away = useRef(onAway);
  away.current = onAway;
  useEffect(() => {
    if (!isActive) return;
    const press = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as globalThis.Node)) away.current();
    };
    document.addEventListener("pointerdown", press);
    return () => document.removeEventListener("pointerdown", press);
  }, [box, isActive]);
}
