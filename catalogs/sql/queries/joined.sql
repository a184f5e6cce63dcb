-- One row a take, with its prompt, line, voice, latest verdict and every family's scores.
SELECT {columns}
FROM take
JOIN prompt ON prompt.id = take.prompt_id
JOIN voice ON voice.id = take.voice_id
LEFT JOIN line ON line.id = take.line_id
LEFT JOIN (
    SELECT
        take_id,
        arg_max(decision, snapshot_id) AS decision,
        arg_max(reasons, snapshot_id) AS reasons,
        arg_max(policy, snapshot_id) AS policy
    FROM verdict
    GROUP BY take_id
) AS judged ON judged.take_id = take.id
{scores}
