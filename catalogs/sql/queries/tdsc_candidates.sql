-- One row a candidate of a job, in the job's order; figures are null for a line that could not be recorded.
SELECT
    line_group.id::VARCHAR AS group_id, line_group.iteration, line.prompt_id::VARCHAR AS prompt_id,
    line.voice_id::VARCHAR AS voice_id, line.text, line.normaliser, line.temperature,
    coalesce(line.style, '') AS style, prompt.domain, prompt.text AS written,
    takes.take_id::VARCHAR AS take_id, takes.audio_s, takes."{words}"::DOUBLE AS words,
    takes."{repetition}"::DOUBLE AS repetition, takes."{length}"::DOUBLE AS length, {tokens} AS tokens,
    verdict.decision = 'keep' AS is_kept
FROM line_group
JOIN job_line ON job_line.line_id = line_group.line_id AND job_line.job_id = line_group.job_id
JOIN line ON line.id = line_group.line_id
JOIN prompt ON prompt.id = line.prompt_id
LEFT JOIN takes ON takes.line_id = line.id
LEFT JOIN verdict ON verdict.take_id = takes.take_id AND verdict.policy = $policy::UUID
WHERE line_group.job_id = $job_id::UUID AND line_group.iteration <= $upto
ORDER BY job_line.position
