-- Attention calls, as GenScope found them: one row a call.

-- Every attention call of the trace. Lengths are tokens, unknown values are null.
CREATE OR REPLACE PERFETTO VIEW genscope_attention(
  -- Id of the slice on the track of attention calls.
  id LONG,
  -- When the call began: on the device, where it did anything there.
  ts TIMESTAMP,
  -- From the first of its work to the last.
  dur DURATION,
  -- What it is, in words.
  name STRING,
  -- Number of the call, as in `genscope report --view attention`.
  call LONG,
  -- forward, backward, recompute or unknown.
  pass STRING,
  -- self, cross or joint.
  kind STRING,
  -- sequence, spatial, temporal or spatiotemporal.
  axis STRING,
  -- math, eager, flash, flash3, efficient, cudnn, flex, sage, paged, native or other.
  implementation STRING,
  -- prefill, decode, parallel_decode, denoise or encode.
  phase STRING,
  -- Part of the pipeline: text_encoder, unet, vae and so on.
  component STRING,
  -- Qualified name of the module in it.
  module STRING,
  layer LONG,
  -- Number of the step: of denoising, of a token or of training.
  step LONG,
  batch LONG,
  -- Query heads.
  heads LONG,
  kv_heads LONG,
  q_len LONG,
  kv_len LONG,
  head_dim LONG,
  v_head_dim LONG,
  dtype STRING,
  -- 1 if the op was told to be causal, 0 if not.
  causal LONG,
  -- none, causal, tensor or window.
  mask STRING,
  -- Sum of its device events, null without a device.
  device_ns LONG,
  -- Time of its op on the CPU.
  cpu_ns LONG,
  -- Time of the copies that bring its operands into order.
  layout_ns LONG
) AS
SELECT
  id,
  ts,
  dur,
  name,
  EXTRACT_ARG(arg_set_id, 'debug.index') AS call,
  EXTRACT_ARG(arg_set_id, 'debug.pass') AS pass,
  EXTRACT_ARG(arg_set_id, 'debug.kind') AS kind,
  EXTRACT_ARG(arg_set_id, 'debug.axis') AS axis,
  EXTRACT_ARG(arg_set_id, 'debug.implementation') AS implementation,
  EXTRACT_ARG(arg_set_id, 'debug.phase') AS phase,
  EXTRACT_ARG(arg_set_id, 'debug.component') AS component,
  EXTRACT_ARG(arg_set_id, 'debug.module') AS module,
  EXTRACT_ARG(arg_set_id, 'debug.layer') AS layer,
  EXTRACT_ARG(arg_set_id, 'debug.step') AS step,
  EXTRACT_ARG(arg_set_id, 'debug.batch') AS batch,
  EXTRACT_ARG(arg_set_id, 'debug.heads') AS heads,
  EXTRACT_ARG(arg_set_id, 'debug.kv_heads') AS kv_heads,
  EXTRACT_ARG(arg_set_id, 'debug.q_len') AS q_len,
  EXTRACT_ARG(arg_set_id, 'debug.kv_len') AS kv_len,
  EXTRACT_ARG(arg_set_id, 'debug.head_dim') AS head_dim,
  EXTRACT_ARG(arg_set_id, 'debug.v_head_dim') AS v_head_dim,
  EXTRACT_ARG(arg_set_id, 'debug.dtype') AS dtype,
  EXTRACT_ARG(arg_set_id, 'debug.causal') AS causal,
  EXTRACT_ARG(arg_set_id, 'debug.mask') AS mask,
  EXTRACT_ARG(arg_set_id, 'debug.device_ns') AS device_ns,
  EXTRACT_ARG(arg_set_id, 'debug.cpu_ns') AS cpu_ns,
  EXTRACT_ARG(arg_set_id, 'debug.layout_ns') AS layout_ns
FROM slice
WHERE
  category = 'genscope.attention';

-- The attention calls of one phase, such as 'decode'.
CREATE OR REPLACE PERFETTO FUNCTION genscope_attention_of_phase(
  -- prefill, decode, parallel_decode, denoise or encode.
  phase STRING
)
RETURNS TABLE(
  id LONG,
  ts TIMESTAMP,
  dur DURATION,
  q_len LONG,
  kv_len LONG,
  kind STRING,
  axis STRING,
  device_ns LONG
) AS
SELECT id, ts, dur, q_len, kv_len, kind, axis, device_ns
FROM genscope_attention
WHERE
  phase = $phase;

-- FLOPs of an attention call: the products of queries and keys, and of scores and values. A causal
-- call counts what its mask leaves, aligned at the last key. Null where a size is unknown.
CREATE OR REPLACE PERFETTO FUNCTION genscope_attention_flops(
  batch LONG,
  heads LONG,
  q_len LONG,
  kv_len LONG,
  head_dim LONG,
  v_head_dim LONG,
  causal LONG
)
RETURNS LONG AS
SELECT
  2 * $batch * $heads * ($head_dim + COALESCE($v_head_dim, $head_dim))
  * CASE
    WHEN $causal = 1
      THEN $q_len * MAX($kv_len - $q_len, 0)
      + MIN($q_len, $kv_len) * (MIN($q_len, $kv_len) + 1) / 2
    ELSE $q_len * $kv_len
  END;
