-- One row a candidate: what a selection asks of it, in the order of ids, which breaks ties.
SELECT takes.take_id::VARCHAR AS take_id, takes.prompt_id::VARCHAR AS prompt_id, takes.audio_s, {columns}
FROM takes
SEMI JOIN candidate ON candidate.take_id::UUID = takes.take_id
ORDER BY takes.take_id
