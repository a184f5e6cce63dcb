-- One row a chosen take: what makes the release's hash, then its length and licence.
SELECT
    take.id, take.pcm_sha256, prompt.text, coalesce(take.split, prompt.split, $default_split) AS split,
    take.num_samples / take.sample_rate_hz AS audio_s, voice.licence
FROM take
JOIN prompt ON prompt.id = take.prompt_id
JOIN voice ON voice.id = take.voice_id
WHERE take.id IN (SELECT take_id::UUID FROM chosen)
ORDER BY take.id
