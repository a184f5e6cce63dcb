-- One row a release, oldest first.
SELECT id::VARCHAR AS id, name, job_id::VARCHAR AS job_id, made_by, created, num_takes, audio_s, licences
FROM release
ORDER BY created, name
