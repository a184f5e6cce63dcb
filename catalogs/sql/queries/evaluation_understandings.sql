-- One row a hypothesis of an evaluation whose recogniser also says what is meant, by take.
SELECT
    evaluation_id::VARCHAR AS evaluation_id, take_id::VARCHAR AS take_id, intent, is_intent_right, found, num_wanted,
    num_found, num_right
FROM understanding
WHERE evaluation_id = $evaluation_id::UUID
ORDER BY take_id
