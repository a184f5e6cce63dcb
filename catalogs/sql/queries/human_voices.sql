-- One row a human voice: its card.
SELECT
    id::VARCHAR AS id, name, engine, speaker, language, sample_rate_hz, checkpoint_sha256, licence, consent,
    temperature, tokens, threads, batch_exact, config
FROM voice
WHERE engine = 'human'
ORDER BY name, id
