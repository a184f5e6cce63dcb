-- One row a shard that any row speaks of.
SELECT name
FROM shard
UNION
SELECT shard
FROM take
ORDER BY name
