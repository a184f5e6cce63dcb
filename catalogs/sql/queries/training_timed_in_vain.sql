-- How many members of a release somebody has looked for word times in, and found none.
SELECT count(*) AS num_takes
FROM release_item
JOIN takes ON takes.take_id = release_item.take_id
WHERE release_item.release_id = $release_id::UUID AND NOT takes.is_timed
