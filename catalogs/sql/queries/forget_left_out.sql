-- Takes back what was said of takes that could not be compared, to make room for what is said of them now.
DELETE FROM failure
WHERE stage = $stage AND list_contains($ids::UUID[], subject_id)
