-- One row: how many takes this reason alone drops whose figure lies so near its threshold, and their seconds.
SELECT count(*) AS takes, coalesce(sum(audio_s), 0) AS audio_s
FROM temp.pool
WHERE state = 'dropped' AND len(reasons) = 1 AND reasons[1] = $reason
    AND {figure} BETWEEN $low::DOUBLE AND $high::DOUBLE
