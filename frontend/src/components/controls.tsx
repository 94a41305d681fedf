// Small controls that every page uses.

import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface Choice {
  id: string;
  title: string;
  hint?: string;
  isDisabled?: boolean;
}

/** A few choices side by side, one of them taken. */
export function Segmented(props: {
  label: string;
  choices: readonly Choice[];
  value: string;
  onChange: (id: string) => void;
}) {
  return (
    <fieldset class="segmented" aria-label={props.label}>
      {props.choices.map((choice) => (
        <button
          key={choice.id}
          type="button"
          title={choice.hint}
          disabled={choice.isDisabled ?? false}
          aria-pressed={choice.id === props.value}
          onClick={() => props.onChange(choice.id)}
        >
          {choice.title}
        </button>
      ))}
    </fieldset>
  );
}

/** A search box: `/` anywhere on the page goes to it, Esc clears it, ↓ goes on to the table. */
export function SearchBox(props: {
  value: string;
  placeholder: string;
  onChange: (value: string) => void;
  onLeave: () => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  useSlash(input);
  return (
    <input
      ref={input}
      class="search"
      type="search"
      aria-label={props.placeholder}
      aria-keyshortcuts="/"
      placeholder={`${props.placeholder}  ( / )`}
      value={props.value}
      onInput={(event) => props.onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          props.onChange("");
          event.currentTarget.blur();
        } else if (event.key === "ArrowDown" || event.key === "Enter") {
          event.preventDefault();
          props.onLeave();
        }
      }}
    />
  );
}

function useSlash(input: RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const go = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches("input, select");
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener("keydown", go);
    return () => document.removeEventListener("keydown", go);
  }, [input]);
}
