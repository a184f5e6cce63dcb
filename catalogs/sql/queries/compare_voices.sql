-- Adds one similarity a take of a job that has a speaker embedding, a reference to hold it against, and none yet.
INSERT INTO {scores} BY NAME
SELECT
    take.id AS take_id,
    $version AS version,
    list_cosine_similarity(score.speaker_embedding, reference.embedding)::DOUBLE AS speaker_similarity
FROM job_line
JOIN line ON line.id = job_line.line_id
JOIN take ON take.line_id = line.id
JOIN voice ON voice.id = line.voice_id
LEFT JOIN voice AS asked ON asked.engine = voice.engine AND asked.speaker = line.timbre
JOIN voice_reference AS reference
    ON reference.voice_id = coalesce(asked.id, voice.id) AND reference.version = $version
JOIN {embeddings} AS score ON score.take_id = take.id AND score.version = $speaker_version
ANTI JOIN (SELECT take_id FROM {scores} WHERE version = $version) AS compared ON compared.take_id = take.id
WHERE job_line.job_id = $job_id::UUID AND score.speaker_embedding IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY take.id ORDER BY asked.id) = 1
ORDER BY take.id
