-- One row a take, in the order of its bytes: where they lie, and the hash of their samples.
SELECT DISTINCT id, shard, "offset", num_bytes, pcm_sha256
FROM take
WHERE $shard IS NULL OR shard = $shard
ORDER BY shard, "offset", id
