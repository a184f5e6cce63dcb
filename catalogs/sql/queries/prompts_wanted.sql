-- Those of the wanted texts that are stored, with their labels.
SELECT id::VARCHAR AS id, text, language, domain, split, intent, slots, entities
FROM prompt
WHERE id IN (SELECT id::UUID FROM wanted)
ORDER BY id
