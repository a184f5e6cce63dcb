-- One row: a set of sequences, if all of it is there.
SELECT
    id::VARCHAR AS id, release_id::VARCHAR AS release_id, split, choosing, seed, version, texts, texts_id::VARCHAR AS texts_id,
    num_takes, num_untimed, num_texts, num_held_out, num_sequences
FROM interleaving
WHERE id = $id::UUID
