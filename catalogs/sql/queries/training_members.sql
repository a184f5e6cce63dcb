-- What training knows of the members of a release before it hears them, in the order of their ids.
SELECT
    takes.take_id::VARCHAR AS take_id, takes.text, takes.spoken, takes.language, takes.origin, takes.voice, takes.domain,
    release_item.split, takes.pcm_sha256, takes.num_samples, takes.sample_rate_hz, takes.shard, takes."offset", takes.num_bytes,
    takes.intent, takes.slots, takes.entities
FROM release_item
JOIN takes ON takes.take_id = release_item.take_id
WHERE release_item.release_id = $release_id::UUID AND ($split::VARCHAR IS NULL OR release_item.split = $split)
ORDER BY takes.take_id
