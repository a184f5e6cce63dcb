-- One row a function that ships with DuckDB: whether it computes a value and is declared to have no side effects.
SELECT
    function_name,
    bool_or(function_type IN ('scalar', 'aggregate', 'macro')) AND NOT bool_or(coalesce(has_side_effects, FALSE))
        AS is_pure
FROM duckdb_functions()
WHERE database_name = 'system'
GROUP BY function_name
ORDER BY function_name
