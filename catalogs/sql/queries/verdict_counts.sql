-- One row: how many takes a policy has judged and kept, and their seconds.
SELECT
    count(*) AS takes,
    coalesce(sum(takes.audio_s), 0) AS audio_s,
    count(*) FILTER (verdict.decision = 'keep') AS kept,
    coalesce(sum(takes.audio_s) FILTER (verdict.decision = 'keep'), 0) AS kept_s
FROM (SELECT id AS take_id, line_id, num_samples / sample_rate_hz AS audio_s FROM take) AS takes
JOIN verdict ON verdict.take_id = takes.take_id AND verdict.policy = $policy::UUID
WHERE {within}
