-- Adds to each take (of one job, or of the corpus) that both judges have heard the probability of a fault of its voice.
INSERT INTO {scores} BY NAME
SELECT
    take.id AS take_id,
    $version AS version,
    CASE WHEN wer IS NOT NULL AND per IS NOT NULL THEN {probability} END AS voice_at_fault
FROM take
JOIN {words} AS words ON words.take_id = take.id AND words.version = $words_version
JOIN {phones} AS phones ON phones.take_id = take.id AND phones.version = $phones_version
ANTI JOIN (SELECT take_id FROM {scores} WHERE version = $version) AS blamed ON blamed.take_id = take.id
WHERE $job_id::UUID IS NULL OR take.line_id IN (SELECT line_id FROM job_line WHERE job_id = $job_id::UUID)
ORDER BY take.id
