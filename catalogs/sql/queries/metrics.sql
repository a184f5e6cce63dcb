-- One row a column of each metric family's current version, families in the order they came.
WITH latest AS (
    SELECT family, variant, max(declared) AS declared, min(declared) AS since
    FROM metric
    GROUP BY family, variant
)
SELECT
    metric.family, metric.variant, metric.version, metric.name, metric.type, metric.unit, metric.better, metric.meaning
FROM latest
JOIN metric ON metric.declared = latest.declared
ORDER BY latest.since, metric.position
