-- One row: lines, takes, audio seconds, kept takes, kept seconds, failed lines, takes with a failed measurement, and
-- prompts left out of a job, prompts stored with other labels, and takes that DGSA could not compare. Seconds are
-- rounded, because the order of a sum is nobody's promise.
WITH job_take AS (
    SELECT take.id, take.num_samples / take.sample_rate_hz AS audio_s
    FROM job_line
    JOIN take ON take.line_id = job_line.line_id
    WHERE job_line.job_id = $job_id::UUID
),
kept AS (
    SELECT take_id
    FROM verdict
    WHERE policy = $policy::UUID AND decision = 'keep'
)
SELECT
    (SELECT count(*) FROM job_line WHERE job_id = $job_id::UUID) AS lines,
    count(*) AS takes,
    round(coalesce(sum(audio_s), 0), 6) AS audio_s,
    count(kept.take_id) AS kept,
    round(coalesce(sum(audio_s) FILTER (kept.take_id IS NOT NULL), 0), 6) AS kept_s,
    (
        SELECT count(DISTINCT failure.subject_id)
        FROM failure
        JOIN job_line ON job_line.line_id = failure.subject_id
        WHERE failure.stage = 'record' AND job_line.job_id = $job_id::UUID
    ) AS failed,
    (
        SELECT count(DISTINCT subject_id)
        FROM failure
        WHERE starts_with(stage, 'measure') AND subject_id IN (SELECT id FROM job_take)
    ) AS unmeasured,
    (SELECT coalesce(max(left_out), 0) FROM round WHERE job_id = $job_id::UUID) AS left_out,
    (
        SELECT count(DISTINCT failure.subject_id)
        FROM failure
        JOIN line ON line.prompt_id = failure.subject_id
        JOIN job_line ON job_line.line_id = line.id
        WHERE failure.stage = 'ingest' AND failure.error = 'other-labels' AND job_line.job_id = $job_id::UUID
    ) AS relabelled,
    (
        SELECT count(DISTINCT subject_id)
        FROM failure
        WHERE stage = 'dgsa' AND subject_id IN (SELECT id FROM job_take)
    ) AS unpaired
FROM job_take
LEFT JOIN kept ON kept.take_id = job_take.id
