-- The row of one take, or none.
SELECT *
FROM takes
WHERE take_id::VARCHAR = $id
