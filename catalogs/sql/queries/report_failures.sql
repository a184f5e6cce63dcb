-- One row a stage and error: how many items of a job failed so, and what was said of one. Prompts that could not be read
-- or cast became no lines, so those of the whole corpus are counted.
SELECT stage, error, count(DISTINCT subject_id) AS items, min(message) AS example
FROM failure
WHERE $job_id::UUID IS NULL
    OR stage IN ('ingest', 'cast')
    OR subject_id IN (SELECT line_id FROM job_line WHERE job_id = $job_id::UUID)
    OR subject_id IN (SELECT take_id FROM temp.pool)
GROUP BY stage, error
ORDER BY items DESC, stage, error
