-- One row a take that a report is about, by id: what it is, its figures, the verdict of the policy (of the policy that
-- judged last, if none is given), and whether the release holds it. Without a job it is every take of the corpus.
SELECT
    takes.take_id, takes.prompt_id, takes.line_id, takes.voice_id, takes.voice, takes.language,
    coalesce(takes.domain, 'none') AS domain, takes.text, takes.spoken, takes.style, takes.timbre, takes.temperature,
    takes.audio_s, takes.shard, takes."offset", takes.num_bytes,
    CASE if($policy::UUID IS NULL, takes.verdict, judged.decision)
        WHEN 'keep' THEN 'kept'
        WHEN 'drop' THEN 'dropped'
        ELSE 'unjudged'
    END AS state,
    coalesce(if($policy::UUID IS NULL, takes.reasons, judged.reasons), []) AS reasons,
    released.take_id IS NOT NULL AS is_released,
    {is_measured} AS is_measured,
    {columns}
FROM takes
LEFT JOIN (
    SELECT take_id, any_value(decision) AS decision, any_value(reasons) AS reasons
    FROM verdict
    WHERE policy = $policy::UUID
    GROUP BY take_id
) AS judged ON judged.take_id = takes.take_id
LEFT JOIN (
    SELECT DISTINCT take_id
    FROM release_item
    WHERE release_id = $release_id::UUID
) AS released ON released.take_id = takes.take_id
WHERE $job_id::UUID IS NULL OR takes.line_id IN (SELECT line_id FROM job_line WHERE job_id = $job_id::UUID)
ORDER BY takes.take_id
