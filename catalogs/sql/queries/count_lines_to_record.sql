-- How many lines of a job have neither a take nor a failure.
SELECT count(*)
FROM job_line
ANTI JOIN take ON take.line_id = job_line.line_id
ANTI JOIN (SELECT subject_id FROM failure WHERE stage = 'record') AS failure ON failure.subject_id = job_line.line_id
WHERE job_line.job_id = $job_id::UUID
