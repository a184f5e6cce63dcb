-- One row a take that has changed since the flat table was made: what that table says of it, and what is new.
-- A score or verdict never comes before its take, so a take that is new has no old ones.
SELECT {columns}
FROM (
    SELECT *
    FROM takes_flat
    WHERE take_id IN ({changed})
        AND take_id NOT IN (SELECT id FROM take WHERE snapshot_id > {upto})
    UNION ALL BY NAME
    SELECT {base}
    FROM take
    JOIN prompt ON prompt.id = take.prompt_id
    JOIN voice ON voice.id = take.voice_id
    LEFT JOIN line ON line.id = take.line_id
    WHERE take.snapshot_id > {upto}
) AS known
LEFT JOIN (
    SELECT
        take_id,
        arg_max(decision, snapshot_id) AS decision,
        arg_max(reasons, snapshot_id) AS reasons,
        arg_max(policy, snapshot_id) AS policy
    FROM verdict
    WHERE snapshot_id > {upto}
    GROUP BY take_id
) AS judged ON judged.take_id = known.take_id
{scores}
