-- One row: how many figures of a set as a whole are stored.
SELECT count(*) AS num_figures FROM set_score WHERE set_id = $set_id::UUID AND subset = ''
