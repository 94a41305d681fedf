-- Phases of inference, components, modules and steps.

INCLUDE PERFETTO MODULE genscope.categories;

-- Stretches of the trace in one phase. A table, since the phase of many points is looked up in it.
CREATE OR REPLACE PERFETTO TABLE genscope_phases(
  id LONG,
  ts TIMESTAMP,
  dur DURATION,
  -- prefill, decode, parallel_decode, denoise or encode.
  phase STRING,
  component STRING,
  -- Why it is taken for that phase.
  reason STRING
) AS
SELECT
  id,
  ts,
  dur,
  name AS phase,
  EXTRACT_ARG(arg_set_id, 'debug.component') AS component,
  EXTRACT_ARG(arg_set_id, 'debug.reason') AS reason
FROM slice
WHERE
  category = 'genscope.phase';

-- The phase at a point in time, null outside any.
CREATE OR REPLACE PERFETTO FUNCTION genscope_phase_at(
  ts TIMESTAMP
)
RETURNS STRING AS
SELECT phase
FROM genscope_phases
WHERE
  ts <= $ts AND $ts < ts + dur
ORDER BY ts DESC, dur
LIMIT 1;

-- The time of each category by the phase in which its work began.
CREATE OR REPLACE PERFETTO VIEW genscope_categories_by_phase(
  -- Null for work outside any phase.
  phase STRING,
  category STRING,
  sum_ns LONG,
  slices LONG
) AS
SELECT
  genscope_phase_at(ts) AS phase,
  category,
  SUM(dur) AS sum_ns,
  COUNT(*) AS slices
FROM genscope_category_slice
GROUP BY 1, 2;

-- Calls of the parts of a pipeline.
CREATE OR REPLACE PERFETTO VIEW genscope_components(
  id LONG,
  ts TIMESTAMP,
  dur DURATION,
  component STRING,
  class STRING,
  step LONG
) AS
SELECT
  id,
  ts,
  dur,
  name AS component,
  EXTRACT_ARG(arg_set_id, 'debug.class') AS class,
  EXTRACT_ARG(arg_set_id, 'debug.step') AS step
FROM slice
WHERE
  category = 'genscope.component';

-- Calls of modules.
CREATE OR REPLACE PERFETTO VIEW genscope_modules(
  id LONG,
  ts TIMESTAMP,
  dur DURATION,
  name STRING,
  -- Qualified name.
  path STRING,
  class STRING,
  component STRING
) AS
SELECT
  id,
  ts,
  dur,
  name,
  EXTRACT_ARG(arg_set_id, 'debug.path') AS path,
  EXTRACT_ARG(arg_set_id, 'debug.class') AS class,
  EXTRACT_ARG(arg_set_id, 'debug.component') AS component
FROM slice
WHERE
  category = 'genscope.module';

-- Steps: of denoising, of tokens or of training.
CREATE OR REPLACE PERFETTO VIEW genscope_steps(
  id LONG,
  ts TIMESTAMP,
  dur DURATION,
  name STRING,
  -- Counted in each trace from 0.
  step LONG
) AS
SELECT
  id,
  ts,
  dur,
  name,
  EXTRACT_ARG(arg_set_id, 'debug.step') AS step
FROM slice
WHERE
  category = 'genscope.step';
