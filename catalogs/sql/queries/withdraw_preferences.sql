-- Takes back pairs of a method and a job (NULL: of the corpus) that do not follow any more.
DELETE FROM preference
WHERE method = $method AND job_id IS NOT DISTINCT FROM $job_id::UUID
    AND (winner, loser, objective) IN (SELECT winner::UUID, loser::UUID, objective FROM gone)
