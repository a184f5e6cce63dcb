-- Takes back a policy's verdicts on the takes that it judges anew, so that its next ones are the last.
DELETE FROM verdict
WHERE policy = $policy::UUID AND take_id IN (SELECT take_id FROM temp.fresh)
