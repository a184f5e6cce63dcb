-- One row a reason for which a policy has dropped takes of a job: how many, most frequent first.
SELECT reason, count(*) AS takes
FROM (
    SELECT unnest(verdict.reasons) AS reason
    FROM job_line
    JOIN take ON take.line_id = job_line.line_id
    JOIN verdict ON verdict.take_id = take.id AND verdict.policy = $policy::UUID
    WHERE job_line.job_id = $job_id::UUID
) AS dropped
GROUP BY reason
ORDER BY takes DESC, reason
