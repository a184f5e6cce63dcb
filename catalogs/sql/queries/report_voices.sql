-- One row a voice of the pool: under which licence, with whose consent, and from which checkpoint it speaks.
SELECT voice.name, voice.engine, voice.licence, voice.consent, voice.checkpoint_sha256, voice.language
FROM voice
WHERE voice.id IN (SELECT voice_id FROM temp.pool)
ORDER BY voice.name, voice.checkpoint_sha256
