-- One row a figure of a set: of this job, of a release made from it, or of this release.
SELECT
    coalesce(release.name, 'the job') AS name, set_score.subset, set_score.metric, set_score.version, set_score.value,
    set_score.num_items, set_score.low, set_score.high
FROM set_score
LEFT JOIN release ON release.id = set_score.set_id
WHERE set_score.set_id = $release_id::UUID
    OR set_score.set_id = $job_id::UUID
    OR release.job_id = $job_id::UUID
ORDER BY
    set_score.metric, split_part(set_score.version, '/', 1), name, set_score.subset, set_score.num_items,
    set_score.version
