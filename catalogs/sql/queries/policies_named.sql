-- One row a stored policy of this name and version.
SELECT id::VARCHAR AS id, definition
FROM policy
WHERE definition ->> 'name' = $name AND (definition ->> 'version')::INTEGER IS NOT DISTINCT FROM $version::INTEGER
ORDER BY id
