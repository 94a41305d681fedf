// The runs of the page as chips in order, the first being the base, and the list to choose from.

import { useState } from "preact/hooks";
import type { Run } from "../api/types";
import { bytes, count, shortenMiddle } from "../format";
import { Popover } from "./Popover";

interface Props {
  runs: readonly Run[];
  /** Ids of the chosen runs, the base first. */
  chosen: readonly string[];
  onChoose: (chosen: readonly string[]) => void;
  /** The list is about to be shown: a good time to look for new files. */
  onOpen: () => void;
}

export function RunPicker(props: Props) {
  const { runs, chosen, onChoose } = props;
  const byId = new Map(runs.map((run) => [run.id, run]));
  const [dragged, setDragged] = useState<string | null>(null);

  function move(id: string, to: number): void {
    const rest = chosen.filter((other) => other !== id);
    onChoose(rest.toSpliced(Math.max(0, to), 0, id));
  }

  return (
    <div class="picker">
      <ul class="chips" hidden={chosen.length === 0} aria-label="Runs shown, the base first">
        {chosen.map((id, index) => (
          <Chip
            key={id}
            id={id}
            run={byId.get(id) ?? null}
            isBase={index === 0}
            isDropTarget={dragged !== null && dragged !== id}
            onBase={() => move(id, 0)}
            onMove={(by) => move(id, index + by)}
            onRemove={() => onChoose(chosen.filter((other) => other !== id))}
            onDrag={(isDragged) => setDragged(isDragged ? id : null)}
            onDrop={() => dragged !== null && move(dragged, index)}
          />
        ))}
      </ul>
      <RunList {...props} />
    </div>
  );
}

function Chip(props: {
  id: string;
  run: Run | null;
  isBase: boolean;
  isDropTarget: boolean;
  onBase: () => void;
  onMove: (by: number) => void;
  onRemove: () => void;
  onDrag: (isDragged: boolean) => void;
  onDrop: () => void;
}) {
  const { id, run, isBase } = props;
  const label = run?.label ?? id;
  const state = run === null ? "gone" : run.state === "failed" ? "failed" : "";
  const hint = isBase
    ? `${id}\nThe base: the other runs are shown relative to it.`
    : `${id}\nMake this the base. Drag, or Alt and an arrow key, to reorder.`;
  return (
    <li
      class={`chip ${isBase ? "base" : ""} ${state}`}
      draggable
      onDragStart={(event) => {
        event.dataTransfer?.setData("text/plain", id);
        props.onDrag(true);
      }}
      onDragEnd={() => props.onDrag(false)}
      onDragOver={(event) => props.isDropTarget && event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        props.onDrop();
      }}
    >
      <button
        type="button"
        class="label"
        title={hint}
        aria-label={isBase ? `${label}, the base` : `Make ${label} the base`}
        onClick={props.onBase}
        onKeyDown={(event) => {
          if (!event.altKey || !/^Arrow(Left|Right)$/.test(event.key)) return;
          event.preventDefault();
          props.onMove(event.key === "ArrowLeft" ? -1 : 1);
        }}
      >
        {isBase && <em>base</em>}
        {shortenMiddle(label, 44)}
      </button>
      <button type="button" class="remove" aria-label={`Remove ${label}`} onClick={props.onRemove}>
        ×
      </button>
    </li>
  );
}

/** More rows than this are not looked through by eye: the filter is there for it. */
const MAX_LISTED = 200;

const STATES: Readonly<Record<Run["state"], string>> = {
  unread: "",
  queued: "waiting",
  reading: "reading",
  ready: "read",
  failed: "cannot be used",
};

function RunList(props: Props) {
  return (
    <Popover title="Choose runs" label="Runs under the logdir" onOpen={props.onOpen}>
      {() => <Listed {...props} />}
    </Popover>
  );
}

function Listed(props: Props) {
  const { runs, chosen, onChoose } = props;
  const [filter, setFilter] = useState("");
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = runs.filter((run) => {
    const text = `${run.label} ${run.id}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const listed = found.slice(0, MAX_LISTED);

  return (
    <>
      <input
        type="search"
        class="search"
        aria-label="Filter runs"
        placeholder={`Filter ${count(runs.length)} runs`}
        value={filter}
        ref={(input) => input?.focus()}
        onInput={(event) => setFilter(event.currentTarget.value)}
      />
      <ul>
        {listed.map((run) => (
          <li key={run.id}>
            <label title={run.error ?? run.id}>
              <input
                type="checkbox"
                checked={chosen.includes(run.id)}
                onChange={(event) =>
                  onChoose(
                    event.currentTarget.checked
                      ? [...chosen, run.id]
                      : chosen.filter((id) => id !== run.id),
                  )
                }
              />
              <span class="run-label">{shortenMiddle(run.label, 56)}</span>
              <span class={`run-state ${run.state}`}>{STATES[run.state]}</span>
              <span class="run-size">{bytes(run.size_bytes)}</span>
            </label>
          </li>
        ))}
      </ul>
      {found.length > listed.length && (
        <p>{count(found.length - listed.length)} more: filter to see them.</p>
      )}
      {found.length === 0 && <p>No run has these words in its name.</p>}
    </>
  );
}
