-- One row: a task vector gets the name, and its models the folders, that they have now; what it is made of stays.
UPDATE task_vector
SET name = $name, real = $real, synthetic = $synthetic
WHERE id = $id::UUID
