-- One row: the id of the policy that has this definition, or no row.
SELECT id::VARCHAR AS id
FROM policy
WHERE definition = $definition
ORDER BY id
LIMIT 1
