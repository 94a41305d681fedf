-- Operator categories: where the time goes, as in `genscope report`.

-- What every stretch of work is: device events where the trace has a device, else the stretches of
-- time that CPU ops of one category and pass spend themselves.
CREATE OR REPLACE PERFETTO VIEW genscope_category_slice(
  id LONG,
  ts TIMESTAMP,
  dur DURATION,
  -- Attention, Convolution, Linear, Normalization and so on.
  category STRING,
  -- forward, backward, recompute, optimizer or unknown.
  pass STRING,
  -- Name of the op that it belongs to; null where it has none, or several.
  op STRING,
  -- 1 for device events whose launch is not in the trace, else 0.
  unlinked LONG
) AS
SELECT
  id,
  ts,
  dur,
  name AS category,
  COALESCE(EXTRACT_ARG(arg_set_id, 'debug.pass'), 'forward') AS pass,
  EXTRACT_ARG(arg_set_id, 'debug.op') AS op,
  COALESCE(EXTRACT_ARG(arg_set_id, 'debug.unlinked'), 0) AS unlinked
FROM slice
WHERE
  category = 'genscope.category';

-- The time of each category, and its share of all.
CREATE OR REPLACE PERFETTO VIEW genscope_categories(
  category STRING,
  sum_ns LONG,
  share DOUBLE,
  -- Stretches of work: device events, where there is a device.
  slices LONG,
  -- The part of `sum_ns` whose launch is not in the trace.
  unlinked_ns LONG
) AS
SELECT
  category,
  SUM(dur) AS sum_ns,
  1.0 * SUM(dur) / SUM(SUM(dur)) OVER () AS share,
  COUNT(*) AS slices,
  SUM(CASE WHEN unlinked = 1 THEN dur ELSE 0 END) AS unlinked_ns
FROM genscope_category_slice
GROUP BY category;

-- The time of each category in a stretch of the trace, such as the selection in the UI. Work at
-- its edges counts with the part that lies inside.
CREATE OR REPLACE PERFETTO FUNCTION genscope_categories_between(
  ts TIMESTAMP,
  ts_end TIMESTAMP
)
RETURNS TABLE(
  category STRING,
  sum_ns LONG,
  slices LONG
) AS
SELECT
  category,
  SUM(MIN(ts + dur, $ts_end) - MAX(ts, $ts)) AS sum_ns,
  COUNT(*) AS slices
FROM genscope_category_slice
WHERE
  ts < $ts_end AND ts + dur > $ts
GROUP BY category;
