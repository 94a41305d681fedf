// What to do when the logdir holds no trace.

import { Empty } from "./notices";

const SNIPPET = `from torch.profiler import ProfilerActivity, profile, tensorboard_trace_handler

with profile(
    activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA],
    record_shapes=True,  # shapes of attention calls
    with_stack=True,  # modules
    on_trace_ready=tensorboard_trace_handler("runs/first"),
):
    pipeline(prompt)`;

export function NoRuns(props: { message: string | null }) {
  return (
    <Empty title="No trace under the logdir yet">
      {props.message && <p>{props.message}</p>}
      <p>In a script, around what you want to look at:</p>
      <pre>{SNIPPET}</pre>
      <p>
        Then start <code>tensorboard --logdir runs</code>. Files ending in <code>.json</code> or{" "}
        <code>.json.gz</code> are found in all folders below the logdir, and new ones appear here by
        themselves.
      </p>
    </Empty>
  );
}
