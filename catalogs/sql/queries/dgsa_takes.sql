-- One row a take that DGSA may compare: how it was read, and the figures that decide. They are the takes of a job by
-- these voices (or of the corpus), with its policy's verdict (or the last one), and what these humans read of their
-- texts, which has no manner.
WITH read AS (
    SELECT line.id, line.prompt_id
    FROM line
    WHERE line.voice_id IN (SELECT unnest($voice_ids::VARCHAR[])::UUID)
        AND ($job_id::UUID IS NULL OR line.id IN (SELECT line_id FROM job_line WHERE job_id = $job_id::UUID))
),
judged AS (
    SELECT take_id, any_value(decision) AS decision
    FROM verdict
    WHERE policy = $policy::UUID
    GROUP BY take_id
)
SELECT
    takes.take_id::VARCHAR AS take_id, takes.prompt_id::VARCHAR AS prompt_id, takes.voice_id::VARCHAR AS voice_id,
    takes.voice, takes.origin, coalesce(takes.style, '') AS style, coalesce(takes.timbre, '') AS timbre,
    takes.temperature, takes.wer::DOUBLE AS wer, takes.f0_sd_st::DOUBLE AS f0_sd_st,
    coalesce(if($policy::UUID IS NULL, takes.verdict, judged.decision) = 'keep', false) AS is_kept
FROM takes
LEFT JOIN judged ON judged.take_id = takes.take_id
WHERE takes.line_id IN (SELECT id FROM read)
    OR (
        takes.origin = 'real' AND list_contains($humans::VARCHAR[], takes.voice)
        AND takes.prompt_id IN (SELECT prompt_id FROM read)
    )
ORDER BY takes.prompt_id, takes.take_id
