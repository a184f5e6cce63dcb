-- The last finished round of casting of a job, or no row.
SELECT number, prompts, lines, left_out, is_last
FROM round
WHERE job_id = $job_id::UUID
ORDER BY number DESC
LIMIT 1
