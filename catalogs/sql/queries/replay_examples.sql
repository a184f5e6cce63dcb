-- One row a take that changes sides: the first few by id, which is by chance, of those gained and of those lost.
WITH chosen AS (
    SELECT unnest(min(take_id, {examples})) AS take_id
    FROM temp.replay
    WHERE in_a <> in_b
    GROUP BY in_b
)
SELECT
    replay.take_id::VARCHAR AS take_id, if(replay.in_b, 'gained', 'lost') AS side, takes.voice, takes.text,
    if(replay.in_b, replay.reasons_a, replay.reasons_b) AS reasons
FROM chosen
JOIN temp.replay ON replay.take_id = chosen.take_id
JOIN takes ON takes.take_id = chosen.take_id
ORDER BY side, replay.take_id
