-- One row a real take: its id, and its split.
SELECT take.id, coalesce(take.split, prompt.split) AS split
FROM take
JOIN prompt ON prompt.id = take.prompt_id
WHERE take.origin = 'real'
ORDER BY take.id
