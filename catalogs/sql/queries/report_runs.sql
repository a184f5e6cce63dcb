-- One row a run of a job, the last first.
SELECT command, versions, started, ended, outcome
FROM run
WHERE job_id = $job_id::UUID
ORDER BY started DESC, command
