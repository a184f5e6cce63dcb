-- One row a member of a release, or of one split of it: whether and by whom its words are timed, in one version of the family.
SELECT
    release_item.take_id::VARCHAR AS take_id, score.take_id IS NOT NULL AS is_measured, score.is_timed, score.timed_by,
    score.timer_id, len(take.word_times) AS num_own
FROM release_item
JOIN take ON take.id = release_item.take_id
LEFT JOIN (SELECT * FROM {table} WHERE version = $version) AS score ON score.take_id = release_item.take_id
WHERE release_item.release_id = $release_id::UUID AND ($split::VARCHAR IS NULL OR release_item.split = $split)
ORDER BY release_item.take_id
