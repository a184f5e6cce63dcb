-- One row a job of this name or id.
SELECT id::VARCHAR AS id, name, recipe
FROM job
WHERE name = $name OR id::VARCHAR = $name
ORDER BY name, id
