-- One row a member of a release, as nested records, split by split; by id, which shuffles, and is the same order always.
SELECT
    {{
        'id': take.id::VARCHAR, 'line_id': take.line_id::VARCHAR, 'prompt_id': take.prompt_id::VARCHAR,
        'voice_id': take.voice_id::VARCHAR, 'origin': take.origin, 'shard': take.shard, 'offset': take."offset",
        'num_bytes': take.num_bytes, 'pcm_sha256': take.pcm_sha256, 'sample_rate_hz': take.sample_rate_hz,
        'num_samples': take.num_samples, 'tokens': take.tokens, 'split': take.split
    }} AS take,
    {{
        'id': prompt.id::VARCHAR, 'text': prompt.text, 'language': prompt.language, 'domain': prompt.domain,
        'split': prompt.split, 'intent': prompt.intent, 'slots': prompt.slots, 'entities': prompt.entities
    }} AS prompt,
    {{
        'id': voice.id::VARCHAR, 'name': voice.name, 'engine': voice.engine, 'speaker': voice.speaker,
        'language': voice.language, 'sample_rate_hz': voice.sample_rate_hz,
        'checkpoint_sha256': voice.checkpoint_sha256, 'licence': voice.licence, 'consent': voice.consent,
        'temperature': voice.temperature, 'tokens': voice.tokens, 'threads': voice.threads,
        'batch_exact': voice.batch_exact, 'config': voice.config
    }} AS voice,
    {{ {scores} }} AS scores,
    release_item.split
FROM release_item
JOIN take ON take.id = release_item.take_id
JOIN prompt ON prompt.id = take.prompt_id
JOIN voice ON voice.id = take.voice_id
LEFT JOIN takes ON takes.take_id = take.id
WHERE release_item.release_id = $release_id::UUID
ORDER BY release_item.split, take.id
