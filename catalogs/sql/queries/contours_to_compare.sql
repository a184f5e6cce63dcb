-- One row a take of a job that has contours and has not been compared, by id: its own, and those of the real take of its
-- text that is nearest in length.
SELECT
    take.id::VARCHAR AS take_id, ours.pitch_track_hz AS pitch_hz, ours.cepstra_track AS cepstra,
    theirs.pitch_track_hz AS real_pitch_hz, theirs.cepstra_track AS real_cepstra
FROM job_line
JOIN take ON take.line_id = job_line.line_id
JOIN {contours} AS ours ON ours.take_id = take.id AND ours.version = $contours_version
JOIN take AS reading ON reading.prompt_id = take.prompt_id AND reading.origin = 'real'
JOIN {contours} AS theirs ON theirs.take_id = reading.id AND theirs.version = $contours_version
ANTI JOIN (SELECT take_id FROM {scores} WHERE version = $version) AS compared ON compared.take_id = take.id
WHERE job_line.job_id = $job_id::UUID AND ours.pitch_track_hz IS NOT NULL AND theirs.pitch_track_hz IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY take.id
    ORDER BY abs(take.num_samples / take.sample_rate_hz - reading.num_samples / reading.sample_rate_hz), reading.id
) = 1
ORDER BY take.id
