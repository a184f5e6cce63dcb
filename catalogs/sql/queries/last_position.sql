-- One row: the place of a job's last line in its order, -1 if it has none.
SELECT coalesce(max(position), -1)
FROM job_line
WHERE job_id = $job_id::UUID
