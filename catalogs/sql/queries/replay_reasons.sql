-- One row a reason of either policy: how many takes it drops, and how many for no other reason.
SELECT policy, reason, count(*) AS takes, count(*) FILTER (is_only) AS alone, sum(audio_s) AS audio_s
FROM (
    SELECT 'a' AS policy, unnest(reasons_a) AS reason, len(reasons_a) = 1 AS is_only, audio_s
    FROM temp.replay
    WHERE NOT in_a
    UNION ALL
    SELECT 'b' AS policy, unnest(reasons_b) AS reason, len(reasons_b) = 1 AS is_only, audio_s
    FROM temp.replay
    WHERE NOT in_b
) AS dropped
GROUP BY policy, reason
ORDER BY policy, takes DESC, reason
