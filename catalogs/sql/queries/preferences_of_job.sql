-- One row a pair that a method has noted for a job (NULL: for the corpus), of one round or of all.
SELECT
    prompt_id::VARCHAR AS prompt_id, winner::VARCHAR AS winner, loser::VARCHAR AS loser, objective, method, iteration,
    job_id::VARCHAR AS job_id, weight
FROM preference
WHERE method = $method AND job_id IS NOT DISTINCT FROM $job_id::UUID AND coalesce(iteration = $iteration, true)
ORDER BY ALL
