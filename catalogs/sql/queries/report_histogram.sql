-- One row a verdict and bin: how many takes lie in it and the sum of their figures, with the ends of the whole
-- histogram, which leaves half a per cent at either side in its outermost bins and holds the points given.
WITH held AS (
    SELECT state, {figure} AS value
    FROM temp.pool
    WHERE isfinite({figure})
),
ends AS (
    SELECT
        least(quantile_cont(value, 0.005), list_min($points::DOUBLE[])) AS low,
        greatest(quantile_cont(value, 0.995), list_max($points::DOUBLE[])) AS high
    FROM held
)
SELECT
    held.state,
    if(high > low, greatest(0, least($bins - 1, floor((value - low) / (high - low) * $bins))), 0)::INTEGER AS bin,
    count(*) AS takes,
    sum(value) AS total,
    any_value(low) AS low,
    any_value(high) AS high
FROM held
CROSS JOIN ends
GROUP BY held.state, bin
ORDER BY held.state, bin
