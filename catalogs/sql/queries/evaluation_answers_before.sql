-- One row a take that the recogniser of an evaluation has heard, decoded alike, when errors were counted in another way.
SELECT DISTINCT ON (hypothesis.take_id)
    hypothesis.take_id::VARCHAR AS take_id, hypothesis.text, hypothesis.hit_limit,
    understanding.take_id IS NOT NULL AS is_understood, understanding.intent, understanding.found
FROM evaluation AS asked
JOIN evaluation AS earlier USING (recogniser_id, release_id, decoding)
JOIN hypothesis ON hypothesis.evaluation_id = earlier.id
LEFT JOIN understanding ON understanding.evaluation_id = earlier.id AND understanding.take_id = hypothesis.take_id
WHERE asked.id = $evaluation_id::UUID AND earlier.normaliser <> asked.normaliser
ORDER BY hypothesis.take_id, earlier.id
