-- One row a verdict on a take, with the policy that gave it.
SELECT verdict.decision, verdict.reasons, verdict.policy::VARCHAR AS policy, policy.definition
FROM verdict
LEFT JOIN policy ON policy.id = verdict.policy
WHERE verdict.take_id::VARCHAR = $id
ORDER BY verdict.policy
