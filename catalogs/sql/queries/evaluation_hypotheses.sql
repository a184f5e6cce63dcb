-- One row a hypothesis of an evaluation, by take.
SELECT
    evaluation_id::VARCHAR AS evaluation_id, take_id::VARCHAR AS take_id, text, wer, cer, substitutions, insertions,
    deletions, num_words, character_errors, num_characters, length_ratio, repeated, loop, tail, hit_limit, num_slots,
    missed_slots, num_entities, missed_entities
FROM hypothesis
WHERE evaluation_id = $evaluation_id::UUID
ORDER BY take_id
