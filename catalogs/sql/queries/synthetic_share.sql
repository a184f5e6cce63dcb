-- One row: the synthetic share by length, of a job beside the corpus's real takes, or of a corpus. Synthetic takes count
-- if the job's policy kept them; in a corpus, if the policy that judged last did, or if none has judged them.
SELECT sum(audio_s) FILTER (origin = 'synthetic') / nullif(sum(audio_s), 0) AS share
FROM takes
WHERE origin = 'real'
    OR CASE
        WHEN $job_id::UUID IS NULL THEN coalesce(verdict, 'keep') = 'keep'
        ELSE line_id IN (SELECT line_id FROM job_line WHERE job_id = $job_id::UUID)
            AND take_id IN (SELECT take_id FROM verdict WHERE policy = $policy::UUID AND decision = 'keep')
    END
