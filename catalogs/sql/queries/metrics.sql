-- One row a column of every version of each metric family, in the order they were declared.
SELECT declared, family, variant, version, name, type, unit, better, meaning
FROM metric
ORDER BY declared, position
