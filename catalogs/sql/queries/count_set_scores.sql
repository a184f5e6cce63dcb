-- One row: how many figures of a set as a whole are stored that were worked out in this way.
SELECT count(*) AS num_figures
FROM set_score
WHERE set_id = $set_id::UUID AND subset = '' AND metric = 'coverage' AND version LIKE $revision || '/%'
