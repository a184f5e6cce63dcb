-- The word times of the members of a release whose words were found, in the order of their ids.
SELECT takes.take_id::VARCHAR AS take_id, timed_words, word_starts_s, word_ends_s, word_confidences
FROM release_item
JOIN takes ON takes.take_id = release_item.take_id
WHERE release_item.release_id = $release_id::UUID AND takes.is_timed
ORDER BY takes.take_id
