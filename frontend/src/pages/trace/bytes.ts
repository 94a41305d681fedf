// The bytes of a trace, asked for until they are there and read into one piece of memory.

import { ServerError } from "../../api/client";

const POLL_MS = 250;

/** How much of it has come. */
export type OnBytes = (received: number, total: number) => void;

/** Gives what is at `address`. Rejects with a ServerError for people, or the signal's reason. */
export async function bytesAt(
  address: URL,
  onBytes: OnBytes,
  signal: AbortSignal,
): Promise<ArrayBuffer> {
  for (;;) {
    const response = await reached(address, signal);
    if (response.status === 200) return whole(response, onBytes, signal);
    const body = await response.json().catch(() => null);
    if (response.status !== 202) {
      throw new ServerError(body?.error?.message ?? `TensorBoard answered ${response.status}.`);
    }
    await later(POLL_MS, signal);
  }
}

async function reached(address: URL, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(address, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ServerError("TensorBoard does not answer. Is it still running?");
  }
}

async function whole(
  response: Response,
  onBytes: OnBytes,
  signal: AbortSignal,
): Promise<ArrayBuffer> {
  const total = Number(response.headers.get("Content-Length") ?? Number.NaN);
  // A proxy may have packed it on the way; then nobody says how long it is.
  if (!response.body || !(total >= 0) || response.headers.has("Content-Encoding")) {
    return response.arrayBuffer();
  }
  const into = roomFor(total);
  const reader = response.body.getReader();
  let received = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      into.set(value, received);
      received += value.length;
      onBytes(received, total);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ServerError("The trace ended early. Did the file change meanwhile?");
  }
  if (received < total) throw new ServerError("The trace ended early. Did the file change?");
  return into.buffer;
}

function roomFor(total: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(total);
  } catch {
    throw new ServerError("The browser has too little memory for this trace.");
  }
}

function later(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
