-- One row a member of a release: its labels, and the columns it is to be sliced by.
SELECT takes.take_id::VARCHAR AS take_id, takes.slots, takes.entities, {{ {slices} }} AS slices
FROM release_item
JOIN takes ON takes.take_id = release_item.take_id
WHERE release_item.release_id = $release_id::UUID
ORDER BY takes.take_id
