-- One row a speaker embedding of the first takes, in the job's order, of each voice of a job that has no reference yet.
SELECT voice_id, speaker_embedding
FROM (
    SELECT
        take.voice_id::VARCHAR AS voice_id, score.speaker_embedding,
        row_number() OVER (PARTITION BY take.voice_id ORDER BY job_line.position, take.id) AS place
    FROM job_line
    JOIN line ON line.id = job_line.line_id
    JOIN take ON take.line_id = line.id
    JOIN {embeddings} AS score ON score.take_id = take.id AND score.version = $speaker_version
    ANTI JOIN (SELECT voice_id FROM voice_reference WHERE version = $version) AS known
        ON known.voice_id = take.voice_id
    WHERE job_line.job_id = $job_id::UUID AND line.timbre IS NULL AND score.speaker_embedding IS NOT NULL
) AS ranked
WHERE place <= $most
ORDER BY voice_id, place
