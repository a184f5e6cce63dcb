-- One row a verdict: how many takes have each of the faults.
SELECT state, count(*) AS takes, {counts}
FROM temp.pool
GROUP BY state
ORDER BY state
