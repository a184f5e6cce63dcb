-- One row a job: how far it is, and its last run.
SELECT
    job.name, job.id::VARCHAR AS job_id, count(job_line.line_id) AS lines, count(take.id) AS takes,
    coalesce(sum(take.num_samples / take.sample_rate_hz), 0) AS audio_s, count(failure.subject_id) AS failed,
    any_value(last_run.command) AS last_command, any_value(last_run.outcome) AS last_outcome
FROM job
LEFT JOIN job_line ON job_line.job_id = job.id
LEFT JOIN take ON take.line_id = job_line.line_id
LEFT JOIN (SELECT DISTINCT subject_id FROM failure WHERE stage = 'record') AS failure
    ON failure.subject_id = job_line.line_id
LEFT JOIN (
    SELECT job_id, arg_max(command, started) AS command, arg_max_null(outcome, started) AS outcome
    FROM run
    GROUP BY job_id
) AS last_run ON last_run.job_id = job.id
GROUP BY job.name, job.id
ORDER BY job.name, job.id
