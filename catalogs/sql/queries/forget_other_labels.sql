-- Takes back what was said of the labels of these texts, to make room for what is said of them now.
DELETE FROM failure
WHERE stage = 'ingest' AND error = 'other-labels' AND list_contains($ids::UUID[], subject_id)
