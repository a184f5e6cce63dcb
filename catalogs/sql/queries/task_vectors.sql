-- One row a task vector, differences before what was made of them, by name.
SELECT
    id::VARCHAR AS id, name, base_id::VARCHAR AS base_id, method, operator, members::VARCHAR[] AS members, real,
    real_sha256, real_steps, real_releases::VARCHAR[] AS real_releases, synthetic, synthetic_sha256, synthetic_steps,
    synthetic_releases::VARCHAR[] AS synthetic_releases, voices, num_parameters, norm, layers, layer_norms
FROM task_vector
ORDER BY operator <> 'difference', name, id
