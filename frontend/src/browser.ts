// What pages ask of the browser: a file to save, text to copy.

/** Offers `content` for download as `name`. */
export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken the address over by the next turn.
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

export function downloadCsv(name: string, csv: string): void {
  // The mark tells spreadsheets that the text is UTF-8.
  download(name, new Blob(["\ufeff", csv], { type: "text/csv" }));
}

/** A file name that every system takes. */
export function fileName(...parts: string[]): string {
  return parts
    .join("-")
    .replace(/[^\w.-]+/g, "_")
    .slice(0, 120);
}

/** Copies `text`. Done by an event, since a page over plain HTTP has no clipboard object. */
export function copyText(text: string): void {
  function put(event: ClipboardEvent): void {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
    event.stopPropagation();
  }
  document.addEventListener("copy", put, { capture: true, once: true });
  document.execCommand("copy");
  document.removeEventListener("copy", put, { capture: true });
}
