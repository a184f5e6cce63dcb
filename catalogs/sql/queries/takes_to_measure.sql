-- One row a take (of one job, of one release, or of the corpus) that a metric family has neither scored in this version nor failed.
SELECT
    take.id::VARCHAR AS take_id, take.voice_id::VARCHAR AS voice_id, take.shard, take."offset", take.num_bytes,
    prompt.text, coalesce(line.text, prompt.text) AS spoken, prompt.language, take.tokens AS codes, take.word_times
FROM take
JOIN prompt ON prompt.id = take.prompt_id
LEFT JOIN line ON line.id = take.line_id
ANTI JOIN (SELECT take_id FROM {table} WHERE version = $version) AS score ON score.take_id = take.id
ANTI JOIN (SELECT subject_id FROM failure WHERE stage = $stage OR stage = 'measure') AS failure
    ON failure.subject_id = take.id
WHERE
    ($job_id::UUID IS NULL OR take.line_id IN (SELECT line_id FROM job_line WHERE job_id = $job_id::UUID))
    AND ($release_id::UUID IS NULL OR take.id IN (SELECT take_id FROM release_item WHERE release_id = $release_id::UUID))
ORDER BY take.shard, take."offset"
