-- One row a take of a job that a policy keeps, with its length, in the job's order.
SELECT take.id, take.num_samples / take.sample_rate_hz AS audio_s
FROM job_line
JOIN take ON take.line_id = job_line.line_id
JOIN verdict ON verdict.take_id = take.id AND verdict.policy = $policy::UUID AND verdict.decision = 'keep'
WHERE job_line.job_id = $job_id::UUID
ORDER BY job_line.position, take.id
