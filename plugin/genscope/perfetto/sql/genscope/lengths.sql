-- Sequence lengths of attention calls.

INCLUDE PERFETTO MODULE genscope.attention;

-- How often each length occurs among forward calls, and what it costs.
CREATE OR REPLACE PERFETTO VIEW genscope_sequence_lengths(
  -- Tokens of the query.
  q_len LONG,
  -- Tokens of the keys.
  kv_len LONG,
  kind STRING,
  axis STRING,
  calls LONG,
  -- Time of the calls: on the device, where there is one.
  time_ns LONG
) AS
SELECT
  q_len,
  kv_len,
  kind,
  axis,
  COUNT(*) AS calls,
  SUM(COALESCE(device_ns, cpu_ns)) AS time_ns
FROM genscope_attention
WHERE
  q_len IS NOT NULL AND pass IN ('forward', 'unknown')
GROUP BY q_len, kv_len, kind, axis;

-- The length over time: that of each forward call until the next begins.
CREATE OR REPLACE PERFETTO VIEW genscope_sequence_length_over_time(
  ts TIMESTAMP,
  -- Until the next call; null for the last.
  dur DURATION,
  q_len LONG,
  kv_len LONG
) AS
SELECT
  ts,
  LEAD(ts) OVER (ORDER BY ts, call) - ts AS dur,
  q_len,
  kv_len
FROM genscope_attention
WHERE
  q_len IS NOT NULL AND pass IN ('forward', 'unknown');
