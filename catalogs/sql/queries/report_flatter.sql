-- One row: by how many semitones more dropped takes of a voice spread their pitch than its kept ones, the standard error
-- of that over texts, and how many takes and texts it rests on. None if no voice has both kept and dropped takes.
-- It is the coefficient of being dropped beside a constant for each voice, and its error that of clusters (Liang and
-- Zeger 1986); texts are those of the verdict that has fewer.
WITH held AS (
    SELECT prompt_id, voice, f0_sd_st AS spread_st, (state = 'dropped')::INTEGER AS is_dropped
    FROM temp.pool
    WHERE state <> 'unjudged' AND isfinite(f0_sd_st)
),
centred AS (
    SELECT
        prompt_id, is_dropped,
        spread_st - avg(spread_st) OVER (PARTITION BY voice) AS spread_st,
        is_dropped - avg(is_dropped) OVER (PARTITION BY voice) AS apart
    FROM held
),
telling AS (
    SELECT *
    FROM centred
    WHERE apart <> 0
),
fitted AS (
    SELECT sum(spread_st * apart) / sum(apart * apart) AS difference_st, sum(apart * apart) AS weight
    FROM telling
),
texts AS (
    SELECT
        sum(apart * (spread_st - difference_st * apart)) AS pull,
        count(*) FILTER (is_dropped = 1) AS dropped,
        count(*) FILTER (is_dropped = 0) AS kept,
        any_value(difference_st) AS difference_st,
        any_value(weight) AS weight
    FROM telling
    CROSS JOIN fitted
    GROUP BY prompt_id
)
SELECT
    any_value(difference_st) AS difference_st,
    sqrt(sum(pull * pull)) / any_value(weight) AS error_st,
    sum(dropped)::BIGINT AS takes,
    least(count(*) FILTER (dropped > 0), count(*) FILTER (kept > 0)) AS texts
FROM texts
HAVING count(*) > 0
