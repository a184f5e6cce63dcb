-- One row a side (kept by both policies, by the first alone, by the second alone): number, mean and variance of figures.
SELECT in_a, in_b, {moments}
FROM temp.replay
WHERE in_a OR in_b
GROUP BY in_a, in_b
ORDER BY in_a, in_b
