-- The names of the releases that hold a take.
SELECT release.name
FROM release_item
JOIN release ON release.id = release_item.release_id
WHERE release_item.take_id::VARCHAR = $id
ORDER BY release.name
