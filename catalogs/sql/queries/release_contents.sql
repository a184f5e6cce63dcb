-- One row a member of a release: what makes the release's hash.
SELECT take.id, take.pcm_sha256, prompt.text, release_item.split
FROM release_item
JOIN take ON take.id = release_item.take_id
JOIN prompt ON prompt.id = take.prompt_id
WHERE release_item.release_id = $release_id::UUID
ORDER BY take.id
