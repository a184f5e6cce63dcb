-- One row a take: of a job, in its order, of a release, or all real ones where both are null; some columns of takes.
SELECT
    takes.take_id::VARCHAR AS take_id, takes.prompt_id::VARCHAR AS prompt_id, takes.voice, takes.style, takes.origin,
    takes.language, length(takes.text) AS text_chars, take.tokens AS codes,
    if(take.tokens IS NULL, '', coalesce(voice.tokens, '')) AS codec,
    concat_ws(' ', takes.language, takes.domain) AS domain {columns}
FROM takes
JOIN take ON take.id = takes.take_id
JOIN voice ON voice.id = takes.voice_id
LEFT JOIN job_line ON job_line.line_id = takes.line_id AND job_line.job_id = $job_id::UUID
WHERE
    CASE
        WHEN $job_id::UUID IS NOT NULL THEN job_line.job_id IS NOT NULL
        WHEN $release_id::UUID IS NOT NULL
            THEN takes.take_id IN (SELECT take_id FROM release_item WHERE release_id = $release_id::UUID)
        ELSE takes.origin = 'real'
    END
ORDER BY job_line.position, takes.take_id
