// Light or dark, as TensorBoard is.

import { useEffect, useState } from "preact/hooks";

export type Mode = "light" | "dark";

const HOST_CLASS = "dark-mode";

/** Colours that a canvas cannot take from the style sheet. */
export interface ChartColors {
  text: string;
  soft: string;
  line: string;
  background: string;
  tooltip: string;
  /** Behind bars, where there is nothing. */
  empty: string;
  accent: string;
}

export const CHART_COLORS: Readonly<Record<Mode, ChartColors>> = {
  light: {
    text: "#212121",
    soft: "#616161",
    line: "#e0e0e0",
    background: "#ffffff",
    tooltip: "#ffffff",
    empty: "#eef0f2",
    accent: "#1a5fb4",
  },
  dark: {
    text: "#eeeeee",
    soft: "#b0b0b0",
    line: "#4a4a4a",
    background: "#303134",
    tooltip: "#424242",
    empty: "#3d3f43",
    accent: "#8ab4f8",
  },
};

/** Follows the host's body where there is one, else the system's preference. */
export function watchMode(host: Window, onChange: (mode: Mode) => void): () => void {
  if (host !== window) {
    const body = host.document.body;
    const tell = () => onChange(body.classList.contains(HOST_CLASS) ? "dark" : "light");
    const observer = new MutationObserver(tell);
    observer.observe(body, { attributes: true, attributeFilter: ["class"] });
    tell();
    return () => observer.disconnect();
  }
  const query = window.matchMedia("(prefers-color-scheme: dark)");
  const tell = () => onChange(query.matches ? "dark" : "light");
  query.addEventListener("change", tell);
  tell();
  return () => query.removeEventListener("change", tell);
}

/** The mode now, also set as `data-mode` of the document for the style sheet. */
export function useMode(host: Window): Mode {
  const [mode, setMode] = useState<Mode>("light");
  useEffect(
    () =>
      watchMode(host, (next) => {
        document.documentElement.dataset.mode = next;
        setMode(next);
      }),
    [host],
  );
  return mode;
}
