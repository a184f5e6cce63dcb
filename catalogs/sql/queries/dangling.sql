-- One row a reference between tables: how many rows point at nothing.
SELECT 'take' AS "table", 'prompt_id' AS "column", count(*) AS num_rows
FROM take
ANTI JOIN prompt ON prompt.id = take.prompt_id
UNION ALL
SELECT 'take', 'voice_id', count(*)
FROM take
ANTI JOIN voice ON voice.id = take.voice_id
UNION ALL
SELECT 'take', 'line_id', count(*)
FROM (SELECT line_id FROM take WHERE line_id IS NOT NULL) AS recorded
ANTI JOIN line ON line.id = recorded.line_id
UNION ALL
SELECT 'line', 'prompt_id', count(*)
FROM line
ANTI JOIN prompt ON prompt.id = line.prompt_id
UNION ALL
SELECT 'line', 'voice_id', count(*)
FROM line
ANTI JOIN voice ON voice.id = line.voice_id
UNION ALL
SELECT 'job_line', 'line_id', count(*)
FROM job_line
ANTI JOIN line ON line.id = job_line.line_id
ORDER BY ALL
