-- The number of characters in the lines of a job that these voices have still to read.
SELECT coalesce(sum(length(line.text)), 0)::BIGINT
FROM job_line
JOIN line ON line.id = job_line.line_id
ANTI JOIN take ON take.line_id = line.id
ANTI JOIN (SELECT subject_id FROM failure WHERE stage = 'record') AS failure ON failure.subject_id = line.id
WHERE job_line.job_id = $job_id::UUID AND list_contains($voice_ids::UUID[], line.voice_id)
