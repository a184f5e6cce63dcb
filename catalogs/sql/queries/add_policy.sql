-- Adds the policy, unless it is there.
INSERT INTO policy BY NAME
SELECT $id::UUID AS id, $definition AS definition
WHERE NOT EXISTS (SELECT 1 FROM policy WHERE id = $id::UUID)
