-- One row a take of these texts, so many a text, in the order of their ids: where its audio lies.
SELECT prompt_id::VARCHAR AS prompt_id, take_id::VARCHAR AS take_id, shard, "offset", num_bytes
FROM temp.pool
WHERE list_contains($prompt_ids::UUID[], prompt_id)
QUALIFY row_number() OVER (PARTITION BY prompt_id ORDER BY take_id) <= $most
ORDER BY prompt_id, take_id
