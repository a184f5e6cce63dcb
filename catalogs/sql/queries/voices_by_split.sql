-- One row a voice and split of a release: what it agreed to, and how many takes it has there.
SELECT voice.name, voice.licence, voice.consent, release_item.split, count(*) AS num_takes
FROM release_item
JOIN take ON take.id = release_item.take_id
JOIN voice ON voice.id = take.voice_id
WHERE release_item.release_id = $release_id::UUID
GROUP BY ALL
ORDER BY ALL
