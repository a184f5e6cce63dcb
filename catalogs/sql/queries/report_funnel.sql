-- One row: how many lines there were, and how many takes were recorded, measured, judged, kept and released, with the
-- seconds of the last five; real recordings count as lines.
SELECT
    if(
        $job_id::UUID IS NULL,
        (SELECT count(*) FROM line) + count(*) FILTER (line_id IS NULL),
        (SELECT count(*) FROM job_line WHERE job_id = $job_id::UUID)
    ) AS lines,
    count(*) AS takes,
    coalesce(sum(audio_s), 0) AS audio_s,
    count(*) FILTER (is_measured) AS measured,
    coalesce(sum(audio_s) FILTER (is_measured), 0) AS measured_s,
    count(*) FILTER (state <> 'unjudged') AS judged,
    coalesce(sum(audio_s) FILTER (state <> 'unjudged'), 0) AS judged_s,
    count(*) FILTER (state = 'kept') AS kept,
    coalesce(sum(audio_s) FILTER (state = 'kept'), 0) AS kept_s,
    count(*) FILTER (is_released) AS released,
    coalesce(sum(audio_s) FILTER (is_released), 0) AS released_s
FROM temp.pool
