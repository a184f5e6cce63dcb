-- One row a take: its prosody beside the mean of its voice, which is that of all its takes, kept or not.
WITH measured AS (
    SELECT take_id, prompt_id, voice_id, voice, {measured}
    FROM takes
),
usual AS (
    SELECT voice_id, count(*) AS takes_of_voice, {means}
    FROM measured
    GROUP BY voice_id
)
SELECT
    measured.take_id, measured.prompt_id, measured.voice_id, measured.voice, usual.takes_of_voice, {columns}
FROM measured
JOIN usual ON usual.voice_id = measured.voice_id
