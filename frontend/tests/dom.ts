// Draws components into the test's document.

import { type ComponentChild, render } from "preact";
import { act } from "preact/test-utils";
import { vi } from "vitest";

/** Draws `tree` into an empty document and gives its root. */
export async function draw(tree: ComponentChild): Promise<HTMLElement> {
  document.body.replaceChildren();
  const root = document.createElement("div");
  document.body.append(root);
  await act(() => render(tree, root));
  return root;
}

export async function click(element: Element | null | undefined): Promise<void> {
  if (!element) throw new Error("There is nothing to click.");
  await act(() => {
    element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  });
}

export async function press(element: Element | null, key: string): Promise<void> {
  await act(() => {
    element?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  });
}

export async function type(input: HTMLInputElement | null, text: string): Promise<void> {
  await act(() => {
    if (input) input.value = text;
    input?.dispatchEvent(new InputEvent("input", { bubbles: true }));
  });
}

/** Waits until `check` does not fail any more, letting what was promised happen. */
export function until(check: () => void): Promise<void> {
  return vi.waitFor(
    async () => {
      await act(() => new Promise((resolve) => setTimeout(resolve)));
      check();
    },
    { timeout: 5000, interval: 1 },
  );
}

/** The first button with this text. */
export function button(root: Element, text: string): HTMLButtonElement | undefined {
  return [...root.querySelectorAll("button")].find((each) => each.textContent?.includes(text));
}
