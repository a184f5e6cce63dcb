-- One row a text that the takes of a release say, with all splits that these are in, in the order of their ids.
SELECT
    prompt.id::VARCHAR AS id, prompt.text, prompt.language, prompt.domain,
    list(DISTINCT release_item.split ORDER BY release_item.split) AS splits
FROM release_item
JOIN take ON take.id = release_item.take_id
JOIN prompt ON prompt.id = take.prompt_id
WHERE release_item.release_id = $release_id::UUID
GROUP BY ALL
ORDER BY id
