-- One row a reason for dropping and a voice: how many takes it drops, and how many for no other reason.
SELECT reason, voice, count(*) AS takes, count(*) FILTER (is_only) AS alone, sum(audio_s) AS audio_s
FROM (
    SELECT unnest(reasons) AS reason, len(reasons) = 1 AS is_only, voice, audio_s
    FROM temp.pool
    WHERE state = 'dropped'
) AS dropped
GROUP BY reason, voice
ORDER BY takes DESC, reason, voice
