-- One row a take that this policy has not judged, has judged by other figures than it has now, or (where it is to have
-- the last word) has been overruled on: what it says now.
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT judged.take_id, judged.reasons
FROM (
    SELECT takes.take_id, takes.policy, {reasons} AS reasons
    FROM takes
    WHERE {within}
) AS judged
LEFT JOIN (SELECT take_id, reasons FROM verdict WHERE policy = $policy::UUID) AS stored
    ON stored.take_id = judged.take_id
WHERE stored.take_id IS NULL
    OR stored.reasons IS DISTINCT FROM judged.reasons
    OR ($has_last_word AND judged.policy <> $policy::UUID)
ORDER BY judged.take_id
