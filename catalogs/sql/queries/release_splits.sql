-- The splits that members of a release have.
SELECT DISTINCT release_item.split
FROM release_item
WHERE release_item.release_id = $release_id::UUID
ORDER BY release_item.split
