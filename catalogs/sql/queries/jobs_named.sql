-- One row a job of this name or id.
SELECT id::VARCHAR AS id
FROM job
WHERE name = $name OR id::VARCHAR = $name
ORDER BY id
