-- One row a text and split of a release: as it is written, and as it was given to the voice.
SELECT DISTINCT prompt.text, line.text AS spoken, release_item.split
FROM release_item
JOIN take ON take.id = release_item.take_id
JOIN prompt ON prompt.id = take.prompt_id
LEFT JOIN line ON line.id = take.line_id
WHERE release_item.release_id = $release_id::UUID
ORDER BY ALL
