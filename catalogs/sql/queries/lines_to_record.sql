-- One row a line to be read by one of these voices, in the job's order. Lines of a fixed batch come together, the
-- ones already recorded included, because their company decides the others' samples; `needed` marks the missing ones.
WITH missing AS (
    SELECT line.id, line.batch_id, job_line.position
    FROM job_line
    JOIN line ON line.id = job_line.line_id
    ANTI JOIN take ON take.line_id = line.id
    ANTI JOIN (SELECT subject_id FROM failure WHERE stage = 'record') AS failure ON failure.subject_id = line.id
    WHERE job_line.job_id = $job_id::UUID AND list_contains($voice_ids::UUID[], line.voice_id)
),
wanted AS (
    SELECT id, NULL AS batch_id, position, TRUE AS needed
    FROM missing
    WHERE batch_id IS NULL
    UNION ALL
    SELECT line.id, batch.batch_id, batch.position, line.id IN (SELECT id FROM missing) AS needed
    FROM (SELECT batch_id, min(position) AS position FROM missing WHERE batch_id IS NOT NULL GROUP BY batch_id) AS batch
    JOIN line ON line.batch_id = batch.batch_id
)
SELECT
    line.id::VARCHAR AS id, line.prompt_id::VARCHAR AS prompt_id, line.voice_id::VARCHAR AS voice_id, line.text,
    line.normaliser, line.style, line.timbre, line.temperature, line.seed, line.batch_id::VARCHAR AS batch_id,
    prompt.text AS prompt_text, prompt.language, wanted.needed
FROM wanted
JOIN line ON line.id = wanted.id
JOIN prompt ON prompt.id = line.prompt_id
ORDER BY wanted.position, wanted.batch_id, line.id
