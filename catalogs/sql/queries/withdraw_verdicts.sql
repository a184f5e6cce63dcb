-- Takes back a policy's verdicts that a later one has overruled, so that its next ones are the last.
DELETE FROM verdict
WHERE policy = $policy::UUID
    AND take_id IN (SELECT takes.take_id FROM takes WHERE takes.policy <> $policy::UUID AND {within})
