-- A condition on takes, for other queries: those of a job, of a release, or all.
($job_id::UUID IS NULL OR takes.line_id IN (SELECT line_id FROM job_line WHERE job_id = $job_id::UUID))
AND (
    $release_id::UUID IS NULL
    OR takes.take_id IN (SELECT take_id FROM release_item WHERE release_id = $release_id::UUID)
)
