-- One row a speaker embedding of the first takes, in the job's order, of each voice of a job that has no reference yet.
-- With `awaits`, a voice is left out as long as a line before the last of them is neither recorded and measured nor failed.
WITH reading AS (
    SELECT
        line.id AS line_id, line.voice_id, job_line.position, take.id AS take_id,
        score.speaker_embedding IS NOT NULL AS is_embedded,
        CASE
            WHEN take.id IS NULL THEN line.id NOT IN (SELECT subject_id FROM failure WHERE stage = 'record')
            WHEN score.take_id IS NULL
                THEN take.id NOT IN (SELECT subject_id FROM failure WHERE stage = $stage OR stage = 'measure')
            ELSE FALSE
        END AS is_awaited
    FROM job_line
    JOIN line ON line.id = job_line.line_id
    ANTI JOIN (SELECT voice_id FROM voice_reference WHERE version = $version) AS known
        ON known.voice_id = line.voice_id
    LEFT JOIN take ON take.line_id = line.id
    LEFT JOIN {embeddings} AS score ON score.take_id = take.id AND score.version = $speaker_version
    WHERE job_line.job_id = $job_id::UUID AND line.timbre IS NULL
),
ranked AS (
    SELECT
        *,
        count(*) FILTER (is_embedded) OVER (
            PARTITION BY voice_id ORDER BY position, line_id ROWS UNBOUNDED PRECEDING
        ) AS place
    FROM reading
)
SELECT ranked.voice_id::VARCHAR AS voice_id, score.speaker_embedding
FROM ranked
JOIN {embeddings} AS score ON score.take_id = ranked.take_id AND score.version = $speaker_version
WHERE ranked.is_embedded AND ranked.place <= $most
    AND NOT ($awaits AND ranked.voice_id IN (SELECT voice_id FROM ranked WHERE is_awaited AND place < $most))
ORDER BY ranked.voice_id, ranked.place
