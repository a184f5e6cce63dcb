-- Adds one verdict a take that this policy has not judged yet.
INSERT INTO verdict BY NAME
SELECT
    take_id,
    $policy::UUID AS policy,
    CASE WHEN len(reasons) = 0 THEN 'keep' ELSE 'drop' END AS decision,
    reasons
FROM (
    SELECT takes.take_id, {reasons} AS reasons
    FROM takes
    ANTI JOIN (SELECT take_id FROM verdict WHERE policy = $policy::UUID) AS judged ON judged.take_id = takes.take_id
    WHERE {within}
) AS fresh
ORDER BY take_id
