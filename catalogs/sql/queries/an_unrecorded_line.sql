-- Why one line of a job could not be recorded, or no row.
SELECT failure.error || ': ' || failure.message
FROM failure
JOIN job_line ON job_line.line_id = failure.subject_id
WHERE failure.stage = 'record' AND job_line.job_id = $job_id::UUID
ORDER BY job_line.position
LIMIT 1
