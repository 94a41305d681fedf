// What is said beside the figures: reading, errors, warnings, and what to do when there is nothing.

import type { ComponentChildren } from "preact";
import type { Progress } from "../api/client";
import type { FileError, TraceWarning } from "../api/types";
import { bytes, count } from "../format";

/** How far each file being read is, in bytes of its size. */
export function Reading(props: {
  progress: Progress;
  labelOf: (id: string) => string;
  onStop?: ((id: string) => void) | null;
}) {
  const files = Object.entries(props.progress).filter(([, file]) => file.state !== "ready");
  if (files.length === 0) return <p class="reading">Asking TensorBoard…</p>;
  return (
    <ul class="reading" aria-live="polite">
      {files.map(([id, file]) => (
        <li key={id}>
          <progress max={Math.max(1, file.size_bytes)} value={file.read_bytes} />
          <span>
            {file.state === "queued" ? "Waiting to read" : "Reading"}{" "}
            <b title={id}>{props.labelOf(id)}</b>: {bytes(file.read_bytes)} of{" "}
            {bytes(file.size_bytes)}
          </span>
          {props.onStop && (
            <button
              type="button"
              aria-label={`Stop reading ${props.labelOf(id)}`}
              onClick={() => props.onStop?.(id)}
            >
              Stop
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

/** An error with what it concerns and what to do about it. */
export function ErrorNotice(props: {
  title: string;
  message: string;
  onRetry?: (() => void) | undefined;
}) {
  return (
    <div class="notice error" role="alert">
      <b>{props.title}</b>
      <span>{props.message}</span>
      {props.onRetry && (
        <button type="button" onClick={props.onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** The files that cannot be used, each with its reason. */
export function FileErrors(props: { errors: readonly FileError[]; onRetry?: () => void }) {
  return (
    <>
      {props.errors.map((error) => (
        <ErrorNotice
          key={error.run}
          title={error.run}
          message={error.message}
          onRetry={props.onRetry}
        />
      ))}
    </>
  );
}

/** Warnings of several traces, each under the name of its run. */
export function Warnings(props: {
  groups: readonly { title: string; warnings: readonly TraceWarning[] }[];
}) {
  const groups = props.groups.filter((group) => group.warnings.length > 0);
  const total = groups.reduce((sum, group) => sum + group.warnings.length, 0);
  if (total === 0) return null;
  return (
    <details class="notice warning" open={total <= 4}>
      <summary>
        {total === 1 ? "1 thing" : `${count(total)} things`} to know about these figures
      </summary>
      {groups.map((group) => (
        <div key={group.title}>
          {group.title !== "" && <h4>{group.title}</h4>}
          <ul>
            {group.warnings.map((warning) => (
              <li
                key={`${warning.code} ${warning.message}`}
                title={`${warning.code}, ${count(warning.count)}`}
              >
                {warning.message}
              </li>
            ))}
          </ul>
        </div>
      ))}
    </details>
  );
}

/** A place without data, and what would fill it. */
export function Empty(props: { title: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}
