-- Adds one verdict a take that a policy judges anew.
INSERT INTO verdict BY NAME
SELECT
    take_id,
    $policy::UUID AS policy,
    CASE WHEN len(reasons) = 0 THEN 'keep' ELSE 'drop' END AS decision,
    reasons
FROM temp.fresh
ORDER BY take_id
