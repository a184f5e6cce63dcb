-- One row a shard that takes lie in and no row of its own describes: how many takes.
SELECT take.shard, count(*) AS num_takes
FROM take
ANTI JOIN shard ON shard.name = take.shard
GROUP BY take.shard
ORDER BY take.shard
