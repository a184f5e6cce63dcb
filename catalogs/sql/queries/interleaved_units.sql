-- One row a unit of a set of sequences, with what it takes to hear it; sequence by sequence, those of takes before texts.
SELECT
    unit.take_id::VARCHAR AS take_id, coalesce(unit.prompt_id, take.prompt_id)::VARCHAR AS prompt_id, unit.heard_first,
    unit.unit_idx, unit.unit_type, unit.modality, unit.start_s, unit.end_s, unit.text,
    prompt.text AS written, prompt.language, prompt.domain, coalesce(release_item.split, prompt.split) AS split,
    voice.name AS voice, voice.licence, voice.consent, voice.engine, voice.checkpoint_sha256,
    take.shard, take."offset", take.num_bytes, take.num_samples, take.sample_rate_hz
FROM unit
LEFT JOIN take ON take.id = unit.take_id
LEFT JOIN prompt ON prompt.id = coalesce(unit.prompt_id, take.prompt_id)
LEFT JOIN voice ON voice.id = take.voice_id
LEFT JOIN release_item ON release_item.release_id = $release_id::UUID AND release_item.take_id = unit.take_id
WHERE unit.interleaving_id = $interleaving_id::UUID
ORDER BY unit.take_id NULLS LAST, unit.prompt_id, unit.heard_first DESC, unit.unit_idx
