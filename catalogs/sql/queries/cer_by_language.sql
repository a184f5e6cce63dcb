-- One row a language of a job: the CER of its takes and of all real takes, pooled over characters, with numbers.
WITH heard AS (
    SELECT prompt.language, take.origin, score.cer, length(prompt.text) AS chars,
        take.line_id IN (SELECT line_id FROM job_line WHERE job_id = $job_id::UUID) AS is_of_job
    FROM take
    JOIN prompt ON prompt.id = take.prompt_id
    JOIN {words} AS score ON score.take_id = take.id AND score.version = $version
    WHERE score.cer IS NOT NULL
)
SELECT
    language,
    sum(cer * chars) FILTER (WHERE is_of_job) / sum(chars) FILTER (WHERE is_of_job) AS cer,
    count(*) FILTER (WHERE is_of_job) AS takes,
    sum(cer * chars) FILTER (WHERE origin = 'real') / sum(chars) FILTER (WHERE origin = 'real') AS real_cer,
    count(*) FILTER (WHERE origin = 'real') AS real_takes
FROM heard
GROUP BY language
HAVING takes > 0
ORDER BY language
