-- One row a figure of a point of erosion: of this job along its order, or of a release, oldest first.
SELECT
    point.set_id::VARCHAR AS set_id, release.name AS release, point.subset, point.version, point.value AS alpha,
    point.num_items AS num_takes, figure.metric, figure.value, figure.num_items, figure.low, figure.high
FROM set_score AS point
JOIN set_score AS figure
    ON figure.set_id = point.set_id AND figure.subset = point.subset AND figure.version = point.version
LEFT JOIN release ON release.id = point.set_id
WHERE point.metric = 'alpha'
    AND figure.metric IN (SELECT unnest($watched::VARCHAR[]))
    AND isfinite(figure.value)
    AND (release.id IS NOT NULL OR point.set_id = $job_id::UUID)
ORDER BY release.created, release.name, point.set_id, point.subset, point.version, figure.metric
